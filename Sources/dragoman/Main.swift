// SPDX-License-Identifier: Apache-2.0
import Glibc

@main
enum Dragoman {
    static func main() async {
        // A reader that goes away, as `head` does, is an error of write and not the end.
        signal(SIGPIPE, SIG_IGN)
        let program = Program(groups: Commands.groups, shell: ProcessShell())
        exit(await program.run(Array(CommandLine.arguments.dropFirst())).rawValue)
    }
}
