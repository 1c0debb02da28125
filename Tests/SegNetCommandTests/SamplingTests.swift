import Foundation
import SegNet
import Testing

@testable import SegNetCommand

@Suite("segnet predict --samples")
struct SamplingCommandTests {
    @Test("writes the uncertainty picture and the variance, the same for the same seed")
    func outputs() throws {
        let scratch = try ScratchFolder()
        try scratch.picture("photo.png", width: 50, height: 41)
        let network = Architectures.segNetBasic(
            classes: 11,
            options: ArchitectureOptions(input: .bgr255(height: 24, width: 32), width: 0.25, dropout: .sampled)
        )
        let model = Model(network: network, weights: try Weights.initial(for: network, seed: 7))
        try SafetensorsFile.write(model, to: URL(filePath: scratch("b.safetensors")))
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
}
