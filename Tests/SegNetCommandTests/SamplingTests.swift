import Foundation
import SegNetToolkit
import Testing

@testable import SegNetCommand

@Suite("segnet predict --samples")
struct SamplingCommandTests {
    /// SegNet-Basic with dropout, small, with random weights.
    private static func writeModel(_ path: String) throws {
        let network = Architectures.segNetBasic(
            classes: 11,
            options: ArchitectureOptions(input: .bgr255(height: 24, width: 32), width: 0.25, dropout: .sampled)
        )
        let model = Model(network: network, weights: try Weights.initial(for: network, seed: 7))
        try SafetensorsFile.write(model, to: URL(filePath: path))
    }

    @Test("writes the uncertainty picture and the variance, the same for the same seed")
    func outputs() throws {
        let scratch = try ScratchFolder()
        try scratch.picture("photo.png", width: 50, height: 41)
        try Self.writeModel(scratch("b.safetensors"))
        func run(_ folder: String, _ seed: String) throws -> [Float] {
            let result = segnet(
                "predict",
                scratch("photo.png"),
                "--model",
                scratch("b.safetensors"),
                "--output",
                scratch(folder),
                "--samples",
                "3",
                "--seed",
                seed,
                "--save",
                "uncertainty,variance"
            )
            #expect(result.exitCode == 0, "\(result.errors)")
            #expect(scratch.files(folder) == ["photo.uncertainty.png", "photo.variance.npy"])
            let picture = try Image(path: scratch(folder + "/photo.uncertainty.png"))
            #expect(picture.width == 50 && picture.height == 41)
            let variance = try NPYFile(URL(filePath: scratch(folder + "/photo.variance.npy")))
            #expect(variance.shape == [24, 32, 11])
            return variance.floats()
        }
        let first = try run("one", "5")
        #expect(try run("again", "5") == first)
        #expect(try run("other", "6") != first)
    }

    @Test("refuses the scores' blob once, before the first picture")
    func scoresBlob() throws {
        let scratch = try ScratchFolder()
        try scratch.picture("a.png")
        try scratch.picture("b.png")
        try Self.writeModel(scratch("b.safetensors"))
        let result = segnet(
            [
                "predict", scratch("a.png"), scratch("b.png"), "--model", scratch("b.safetensors"), "--output",
                scratch("out"),
            ]
                + ["--samples", "2", "--save", "blob:conv_classifier"]
        )
        #expect(result.exitCode == 1)
        #expect(result.errors.components(separatedBy: "scores differ between samples").count == 2, "\(result.errors)")
    }

    @Test("says that a network without dropout has nothing to sample")
    func withoutDropout() throws {
        let scratch = try ScratchFolder()
        try scratch.picture("photo.png")
        try scratch.model("m.safetensors")
        let result = segnet(
            "predict",
            scratch("photo.png"),
            "--model",
            scratch("m.safetensors"),
            "--samples",
            "2",
            "--output",
            scratch("out")
        )
        #expect(result.exitCode == 1)
        #expect(result.errors.contains("it has no dropout layers; every sample would be the same."))
    }

    @Test("evaluate tells how right the surest pixels are: on the terminal, in JSON and in the report")
    func certainty() throws {
        struct Document: Decodable {
            struct Surest: Decodable {
                var share: Double
                var accuracy: Double
            }
            var globalAccuracy: Double
            var surest: [Surest]
        }
        let scratch = try ScratchFolder()
        try Self.writeModel(scratch("b.safetensors"))
        // Two pictures of another size than the network's.
        for name in ["a", "b"] {
            try scratch.picture("data/images/\(name).png", width: 50, height: 41)
            let ids = (0..<50 * 41).map { UInt16($0 % 11) }
            try FileManager.default.createDirectory(atPath: scratch("data/labels"), withIntermediateDirectories: true)
            try LabelMap(width: 50, height: 41, ids: ids).write(path: scratch("data/labels/\(name).png"))
        }
        try scratch.write((0..<11).map { "class\($0)" }.joined(separator: "\n"), "data/classes.txt")
        let result = segnet(
            ["evaluate", "--model", scratch("b.safetensors"), "--dataset", "folder", "--data", scratch("data")]
                + ["--split", "train", "--samples", "3", "--bf", "none"]
                + ["--json", scratch("s.json"), "--report", scratch("r.html")]
        )
        #expect(result.exitCode == 0, "\(result.errors)")
        #expect(result.output.contains("correct among the most certain 10 %: "))
        let data = try Data(contentsOf: URL(filePath: scratch("s.json")))
        let document = try JSONDecoder().decode(Document.self, from: data)
        #expect(document.surest.map(\.share) == [0.1, 0.25, 0.5, 0.75, 0.9, 1])
        #expect(abs(try #require(document.surest.last).accuracy - document.globalAccuracy) < 1e-12)
        let page = try String(contentsOf: URL(filePath: scratch("r.html")), encoding: .utf8)
        #expect(page.contains("Certainty and accuracy") && page.contains("the most certain 10 %"))
    }

    @Test(
        "samples do not go with masks of files or with views",
        arguments: [
            (["--predictions", "x"], "Please leave '--samples' out with '--predictions': the masks are made already."),
            (["--tta", "flip"], "Please give either '--tta' or '--samples', not both."),
        ]
    )
    func usage(options: [String], message: String) {
        let result = segnet(["evaluate", "--dataset", "camvid", "--samples", "2"] + options)
        #expect(result.exitCode != 0 && result.errors.contains(message), "\(result.errors)")
    }
}
