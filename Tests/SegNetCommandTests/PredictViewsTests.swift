import Foundation
import SegNetToolkit
import Testing

@testable import SegNetCommand

@Suite("segnet predict --tta")
struct PredictViewsTests {
    @Test("writes what the mean of the views says, and tells of it")
    func predict() throws {
        let scratch = try ScratchFolder()
        try scratch.picture("a.png", width: 20, height: 14)
        try scratch.model("m.safetensors", classes: 3)
        let base = [
            "predict", scratch("a.png"), "--model", scratch("m.safetensors"), "--output", scratch("out"), "--json",
        ]
        let result = segnet(base + ["--tta", "flip,scales=0.5,1", "--save", "mask,probabilities", "--threads", "1"])
        #expect(result.exitCode == 0, "\(result.errors)")
        #expect(result.output.contains("\"views\" : \"flip,scales=0.5,1.0\""))
        let probabilities = try NPYFile(URL(filePath: scratch("out/a.probabilities.npy")))
        #expect(probabilities.shape == [14, 20, 3])
        let plain = segnet(base + ["--tta", "none"])
        #expect(plain.exitCode == 0 && !plain.output.contains("views"))
    }

    @Test(
        "refuses what has no mean over views",
        arguments: [
            (["--samples", "2"], "Please give either '--tta' or '--samples', not both."),
            (
                ["--save", "mask,logits"],
                "Please leave 'logits' out with '--tta'; save 'probabilities', the mean over the views, instead."
            ),
            (
                ["--save", "blob:pool1"],
                "Please leave 'blob:pool1' out with '--tta'; save 'probabilities', the mean over the views, instead."
            ),
        ]
    )
    func refusals(options: [String], message: String) {
        let result = segnet(["predict", "a.png", "--tta", "flip"] + options)
        #expect(result.exitCode == 64 && result.errors.contains(message), "\(result.errors)")
    }
}
