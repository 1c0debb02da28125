import SegNet
@main struct F { static func main() {} }
