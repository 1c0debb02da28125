import Foundation
import SegNet
import Testing

@testable import SegNetModels

/// A program that has nothing but the library.
@Suite("Bundled models")
struct BundledModelTests {
    @Test(
        "each is in the resources, under the name of its card, and reads street scenes",
        arguments: BundledModel.allCases
    )
    func each(_ model: BundledModel) throws {
        let segmenter = try Segmenter.bundled(model)
        #expect(segmenter.classTable.classes.map(\.name).contains("Road"))
        #expect(segmenter.classCount == 11)
        let package = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        #expect(
            try Data(contentsOf: model.url)
                == Data(contentsOf: package.appending(path: "Models/\(model.rawValue).safetensors"))
        )
        let card = package.appending(path: "docs/models/\(model.rawValue).md")
        #expect(FileManager.default.fileExists(atPath: card.path(percentEncoded: false)))
    }

    @Test("the default is the command's, and finds the sky above a street")
    func standard() throws {
        #expect(BundledModel.streets.rawValue == ModelStore.defaultName)
        let photo = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "Models/street.jpg")
        let result = try Segmenter.bundled().segment(Image(path: photo.path(percentEncoded: false)))
        #expect(try #require(result.shares.first { $0.name == "Sky" }).share > 0.1)
    }

    @Test("an error says which file is missing and where it belongs")
    func missing() {
        let error = BundledModelError(model: .streets, folder: "/opt/program")
        #expect(
            "\(error)"
                == "/opt/program: holds no segnet-streets.safetensors; copy the folder 'segnet-swift_SegNetModels.resources' from the build "
                + "folder next to the program, or give Segmenter(model:) a file."
        )
        #expect(error.localizedDescription == "\(error)")
    }
}
