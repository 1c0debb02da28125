import Foundation
import SegNetCPU
import SegNetData
import SegNetFormats
import SegNetImages
import SegNetNetworks
import Testing

@testable import SegNetTraining

@Suite("Learning from a teacher")
struct TeacherTests {
    /// A teacher of rendered streets, and the recipe of its pupil.
    private static func teacher(_ run: RunFolder) throws -> TrainingConfiguration {
        var recipe = smallRecipe()
        recipe.iterations = 2
        recipe.width = 0.5
        _ = try TrainerTests.train(recipe, in: run)
        recipe.width = 0.25
        recipe.iterations = 6
        recipe.teacher = TeacherConfiguration(model: run.url.appending(path: "last.safetensors").path)
        return recipe
    }

    @Test("a pupil comes nearer to its teacher, also where there are no labels")
    func nearer() throws {
        let run = try RunFolder()
        var recipe = try Self.teacher(run)
        recipe.teacher?.share = 1
        recipe.iterations = 40
        recipe.validateEvery = 100
        let pupil = try RunFolder()
        let (_, events) = try TrainerTests.train(recipe, in: pupil)
        let losses = events.compactMap { event in
            if case .step(let report) = event { return report.loss }
            return nil
        }
        #expect(losses.count == 40 && losses.allSatisfy { $0 >= 0 })
        let (first, last) = (losses.prefix(5).reduce(0, +), losses.suffix(5).reduce(0, +))
        #expect(last < 0.7 * first, "\(losses)")
    }

    @Test("a share counts both, and the run resumes to the bit")
    func resume() throws {
        let run = try RunFolder()
        var recipe = try Self.teacher(run)
        recipe.teacher?.share = 0.3
        recipe.teacher?.temperature = 3
        let (whole, parts, plain) = (try RunFolder(), try RunFolder(), try RunFolder())
        let trained = try TrainerTests.train(recipe, in: whole)
        #expect(trained.0.isFinished)
        _ = try TrainerTests.train(recipe, in: parts, stopAfter: 3, threads: 1)
        _ = try TrainerTests.train(recipe, in: parts)
        #expect(try whole.bytes("last.safetensors") == parts.bytes("last.safetensors"))
        let saved = String(decoding: try whole.bytes("recipe.yaml"), as: UTF8.self)
        #expect(try TrainingConfiguration(yaml: saved, file: "x").teacher == recipe.teacher)
        recipe.teacher = nil
        _ = try TrainerTests.train(recipe, in: plain)
        #expect(try whole.bytes("last.safetensors") != plain.bytes("last.safetensors"))
    }

    @Test("its memory is part of the plan")
    func memory() throws {
        let run = try RunFolder()
        var recipe = try Self.teacher(run)
        let taught = try Trainer(recipe, dataset: TrainerTests.data(recipe), output: try RunFolder().url, threads: 1)
        recipe.teacher = nil
        let plain = try Trainer(recipe, dataset: TrainerTests.data(recipe), output: try RunFolder().url, threads: 1)
        #expect(taught.plannedBytes > plain.plannedBytes + 100_000)
    }

    @Test("says what is wrong with a teacher")
    func errors() throws {
        let run = try RunFolder()
        var recipe = try Self.teacher(run)
        func message() -> String {
            do {
                _ = try Trainer(
                    recipe,
                    dataset: TrainerTests.data(recipe),
                    output: run.url.appending(path: "x"),
                    threads: 1
                )
                return "nothing was thrown"
            } catch { return "\(error)" }
        }
        recipe.teacher?.share = 0
        #expect(message() == "teacher.share: needs a number above 0 and up to 1; found 0.0.")
        recipe.teacher?.share = 0.5
        recipe.teacher?.temperature = 0
        #expect(message() == "teacher.temperature: needs a number in 0.1...100; found 0.0.")
        recipe.teacher?.temperature = 2
        let path = try #require(recipe.teacher?.model)
        var model = try SafetensorsFile.readModel(URL(filePath: path))
        model.metadata.classNames?[1] = "House"
        try SafetensorsFile.write(model, to: URL(filePath: path))
        #expect(message().hasPrefix("teacher: \(path): has the classes Sky, House, Pole"))
        #expect(message().hasSuffix("; give a teacher of the same classes in the same order."))
        recipe.teacher?.model = "/nowhere.safetensors"
        #expect(message().hasPrefix("teacher: /nowhere.safetensors: "))
        recipe.teacher?.model = "net.caffemodel"
        #expect(
            message()
                == "teacher: net.caffemodel: a .caffemodel holds weights only; its network is missing. Turn it and its .prototxt into a "
                + ".safetensors file with 'segnet convert', and give that."
        )
        recipe.teacher?.model = "net.onnx"
        #expect(
            message() == "teacher: net.onnx: does not have the file extension of a model. Give a .safetensors file."
        )
    }

    @Test("a teacher that cannot read the pictures is refused as the teacher, before the first step")
    func pictures() throws {
        let run = try RunFolder()
        var recipe = smallRecipe()
        let classes = try TrainerTests.data(recipe).classes.classes.map(\.name)
        func message(_ network: Network) throws -> String {
            var model = Model(network: network, weights: try Weights.initial(for: network, seed: 1))
            model.metadata.classNames = classes
            let file = run.url.appending(path: "\(network.name).safetensors")
            try SafetensorsFile.write(model, to: file)
            recipe.teacher = TeacherConfiguration(model: file.path)
            let output = run.url.appending(path: "run")
            do {
                _ = try Trainer(recipe, dataset: TrainerTests.data(recipe), output: output, threads: 1)
                return "nothing was thrown"
            } catch { return "\(error)".replacingOccurrences(of: file.path, with: network.name) }
        }
        let deep = InputDescription(channels: ["blue", "green", "red", "depth"], height: 24, width: 32)
        var options = ArchitectureOptions(input: deep, width: 0.25)
        #expect(
            try message(Architectures.segNetBasic(classes: classes.count, options: options))
                == "teacher: segnet-basic: reads a channel 'depth', but the data have red, green, blue; give a teacher that reads no others, or "
                + "change the data's files of a picture."
        )
        options = ArchitectureOptions(width: 0.25, fullyConnectedWidth: 64)
        let small = try message(Architectures.deconvNet(classes: classes.count, options: options))
        #expect(
            small.hasPrefix(
                "teacher: deconvnet: cannot run on pictures of 32x24: network 'deconvnet', layer 'fc6': its 7x7 window does not fit its "
                    + "input"
            ),
            "\(small)"
        )
        #expect(small.hasSuffix("; use a larger crop of the pictures."), "\(small)")
        recipe.augmentation.crop = nil
        let whole = try message(Architectures.deconvNet(classes: classes.count, options: options))
        #expect(whole.hasSuffix("; use a larger picture size."), "\(whole)")
    }
}
