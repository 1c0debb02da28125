import Foundation
import SegNetToolkit
import Testing

@testable import SegNet

@Suite("Errors")
struct LocalizedErrorTests {
    static let all: [any Error & Sendable] = [
        SegmenterError(network: "n", reason: "it has no layers."),
        Segmenter.WordsError("views", text: "flop", problem: "is none"),
        Segmenter.WordsError("refinement", text: "snakes", problem: "is none"),
        crf,
        empty,
        NetworkError(network: "n", layer: "l", problem: "does not fit"),
        WeightsError(file: "f", tensor: "t", reason: .missing(closest: nil)),
        MemoryError(byteCount: 1 << 30, available: 1 << 20),
        FormatError(file: "f", line: 3, problem: "is damaged", advice: "Make it again"),
        DatasetError("d: there is no such folder."),
        ConfigurationError("r.yaml: is not YAML."),
    ]

    private static var crf: any Error & Sendable {
        do throws(DenseCRFError) {
            try DenseCRF(w1: -1).check()
            return DatasetError("a dense CRF of negative weight was taken.")
        } catch {
            return error
        }
    }

    private static var empty: any Error & Sendable {
        do throws(ImageError) {
            _ = try Image(decoding: [] as [UInt8], name: "a.png")
            return DatasetError("an empty file was read.")
        } catch {
            return error
        }
    }

    @Test("have their description as localized description", arguments: all)
    func descriptions(error: any Error & Sendable) {
        #expect((error as? any LocalizedError)?.errorDescription == "\(error)")
        #expect(error.localizedDescription == "\(error)")
    }

    @Test("of every public type are localized")
    func complete() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../Sources")
        let names = FileManager.default.enumerator(at: root, includingPropertiesForKeys: nil)
        var types: Set<String> = []
        for case let file as URL in try #require(names) where file.pathExtension == "swift" {
            let text = try String(contentsOf: file, encoding: .utf8)
            for match in text.matches(of: /(?m)^ *public (?:struct|enum) (\w+)[^\n{]*: Error\b/) {
                types.insert(String(match.1))
            }
        }
        let list = try String(contentsOf: root.appending(path: "SegNet/LocalizedErrors.swift"), encoding: .utf8)
        #expect(types.count > 15)
        for type in types {
            #expect(list.contains(" \(type): LocalizedError") || list.contains(".\(type): LocalizedError"), "\(type)")
        }
    }
}
