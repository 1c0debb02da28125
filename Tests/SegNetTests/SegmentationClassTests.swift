import Foundation
import SegNetToolkit
import Testing

@testable import SegNet

@Suite("One class of a segmentation")
struct SegmentationClassTests {
    @Test("has its share, its mask, and a file is segmented by its path")
    func oneClass() throws {
        let file = FileManager.default.temporaryDirectory.appending(
            path: "segnet-class-\(UInt64.random(in: 0 ... .max)).png"
        )
        defer { try? FileManager.default.removeItem(at: file) }
        let image = try noise(width: 40, height: 30)
        try image.write(to: file)
        let segmenter = try Segmenter(LoadedModel(smallModel(), name: "small"), options: Segmenter.Options(threads: 1))
        let result = try segmenter.segment(contentsOf: file)
        #expect(result.classes == (try segmenter.segment(image)).classes)
        let most = try #require(result.shares.first)
        #expect(result.shares[most.name] == most.share && result.shares["nothing of this name"] == 0)
        for name in [most.name.uppercased(), most.name.lowercased()] {
            #expect(result.shares[name] == most.share)
            #expect(try result.mask(of: name) == result.mask(of: most.name))
        }
        let mask = try result.mask(of: most.name)
        #expect((mask.width, mask.height, mask.channels) == (40, 30, 1))
        #expect(mask.pixels.count { $0 == 255 } == most.pixels && mask.pixels.allSatisfy { $0 == 0 || $0 == 255 })
        #expect {
            try result.mask(of: "\(most.name)s")
        } throws: {
            "\($0)".contains("there is no class '\(most.name)s'. Did you mean '\(most.name)'? The classes are ")
        }
        #expect(throws: ImageError.self) { try segmenter.segment(contentsOf: file.appending(path: "none")) }
    }
}

@Suite("Scores as a table for spreadsheets")
struct CSVTests {
    @Test("has a line for each class and one for all, names quoted where they must be")
    func csv() {
        var report = EvaluationReport(classNames: ["road", "car, \"big\"", "sky"], boundaryRule: nil)
        report.add(name: "a", truth: [0, 0, 1, 1], prediction: [0, 1, 1, 1], width: 4, height: 1)
        #expect(
            report.csv
                == "class,iou,accuracy,pixels\r\nroad,0.5,0.5,2\r\n\"car, \"\"big\"\"\",\(2.0 / 3),1.0,2\r\nsky,,,0\r\n(all),\((0.5 + 2.0 / 3) / 2),0.75,4\r\n"
        )
    }
}
