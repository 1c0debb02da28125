import SegNetImages
import SegNetPlatform
import Testing

@testable import SegNetAnnotations

@Suite("Damaged annotations")
struct DamagedAnnotationTests {
    /// Readers of damaged files: they may say anything, and must not trap.
    @Test(
        "damaged files end no program",
        arguments: ["coco-compressed.json", "labelme.json", "cvat/train.xml", "label-studio.json"]
    )
    func damaged(name: String) throws {
        let scratch = try ScratchFolder()
        let good = Array(try #require(FileManager.default.contents(atPath: file(name))))
        var random = RandomNumbers(seed: 11)
        func draw(_ range: Int) -> Int { Int(random.uniform() * Double(range)) }
        let words = [
            "-1", "1e308", "9223372036854775807", "null", "[]", "\"", "{", "}", ",", "0", "99999999", "<", "&", ";",
            "\u{0}",
        ]
        for number in 0..<600 {
            var bytes = good
            for _ in 0...draw(3) {
                let at = draw(bytes.count)
                switch draw(4) {
                case 0: bytes[at] = UInt8(draw(256))
                case 1: bytes.replaceSubrange(at..<min(bytes.count, at + draw(6)), with: words[draw(words.count)].utf8)
                case 2: bytes.removeSubrange(at..<min(bytes.count, at + draw(40)))
                default: bytes.insert(contentsOf: bytes[at..<min(bytes.count, at + draw(60))], at: draw(bytes.count))
                }
                if bytes.isEmpty { bytes = [0] }
            }
            let path = try scratch.write(Data(bytes), "\(number)")
            let set: AnnotationSet?
            switch name {
            case "labelme.json": set = AnnotationSet(labelme: [path])
            case "cvat/train.xml": set = try? AnnotationSet(cvat: path)
            case "label-studio.json": set = try? AnnotationSet(labelStudio: path)
            default: set = try? AnnotationSet(coco: path)
            }
            for picture in set?.pictures ?? [] {
                _ = try? picture.labelMap(width: 16, height: 12, unlabelled: 0, void: 1)
            }
        }
    }
}
