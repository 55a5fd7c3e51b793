@main
enum Dragoman {
    static func main() {}
}
