@main
struct SegNetCommand {
    static func main() {}
}
