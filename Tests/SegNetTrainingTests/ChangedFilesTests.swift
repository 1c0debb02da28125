import Foundation
import SegNetCPU
import SegNetData
import SegNetFormats
import SegNetImages
import SegNetNetworks
import SegNetPlatform
import Testing

@testable import SegNetTraining

@Suite("A picture that is replaced while a training reads it")
struct ReplacedPictureTests {
    /// Trains on files that are read anew for each batch, and changes the third picture at step 5.
    /// - Returns: Its file, the error, and the step that was saved.
    private static func train(
        _ change: (_ image: String, _ label: String) throws -> Void
    ) throws -> (file: String, error: String, saved: Int) {
        let folder = try RunFolder()
        try TwoClasses.write(to: folder.url.appending(path: "data"), pictures: 10)
        var recipe = ResumingTests.recipe(40)
        recipe.dataset = .folder
        recipe.data = folder.url.appending(path: "data").path
        recipe.size = nil
        recipe.augmentation.crop = nil
        recipe.cacheMegabytes = 0
        recipe.checkpointMinutes = 1000
        let run = folder.url.appending(path: "run")
        let trainer = try Trainer(recipe, output: run, threads: 1)
        guard case .files(let images, let label) = trainer.data.sources[0].samples[2].source else { return ("", "", 0) }
        var error = ""
        do {
            try trainer.run(observe: {
                if case .step(let report) = $0, report.step == 5 { try? change(images[0], label) }
            })
        } catch let problem { error = "\(problem)" }
        return (images[0], error, try Checkpoint.progress(run.appending(path: "last.checkpoint")).step)
    }

    @Test("by a pipe is an error that names it, where reading would wait for ever")
    func pipe() throws {
        let (file, error, saved) = try Self.train { image, _ in
            #expect(mkfifo(image + ".new", 0o600) == 0)
            #expect(rename(image + ".new", image) == 0)
        }
        #expect(
            error.hasPrefix(
                "\(file): is a pipe or a device; pictures and labels must be files. Put the file back. The training is saved at step \(saved) "
            ),
            "\(error)"
        )
        #expect(saved >= 5)
    }

    @Test("by one of another size, with its labels, is named after everything was saved")
    func otherSize() throws {
        let (file, error, saved) = try Self.train { image, label in
            let pixels = [UInt8](repeating: 9, count: 3 * 64 * 48)
            try Image(width: 64, height: 48, channels: 3, pixels: pixels).write(path: image + ".new.png")
            try LabelMap(width: 64, height: 48, ids: Array(repeating: 0, count: 64 * 48)).write(
                path: label + ".new.png"
            )
            // At once, so that no batch sees one without the other.
            #expect(rename(image + ".new.png", image) == 0 && rename(label + ".new.png", label) == 0)
        }
        #expect(
            error.hasPrefix(
                "\(file): is 64x48 now; the pictures were 48x32 when the training began, and pictures of different sizes cannot share a batch. Put "
                    + "it and its labels back as they were. The training is saved at step \(saved) "
            ),
            "\(error)"
        )
        #expect(saved >= 5)
    }
}
