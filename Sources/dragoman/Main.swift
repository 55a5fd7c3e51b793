// SPDX-License-Identifier: Apache-2.0
@main
enum Dragoman {
    static func main() {}
}
