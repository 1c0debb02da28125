import Foundation
import SegNetToolkit
import Testing

@testable import SegNetCommand

@Suite("segnet info")
struct InfoTests {
    @Test("shows an architecture layer by layer with its totals")
    func architecture() {
        let result = segnet("info", "segnet-basic", "--size", "64x48")
        #expect(result.exitCode == 0)
        let lines = result.output.split(separator: "\n").map(String.init)
        #expect(lines.first == "segnet-basic: input data [1, 3, 48, 64] (blue, green, red; 0...255), 11 classes")
        #expect(
            lines.contains {
                $0.hasPrefix("conv1 ") && $0.contains("convolution 7x7") && $0.contains("[1, 64, 48, 64]")
            }
        )
        #expect(lines.contains { $0.hasPrefix("1,416,587 parameters (5.4 MiB as float32), ") })
        #expect(lines.last?.hasPrefix("memory to run (") == true)
    }

    @Test("names the blobs of a layer where they are not called like it, in JSON always")
    func blobs() throws {
        struct Document: Decodable {
            struct Row: Decodable {
                var name: String
                var blobs: [String]
            }
            struct Summary: Decodable { var rows: [Row] }
            var summary: Summary
        }
        let lines = segnet("info", "segnet-basic", "--size", "64x48").output.split(separator: "\n")
        func words(_ layer: String) -> [Substring]? {
            lines.map { $0.split(separator: " ") }.first { $0.first == layer[...] }
        }
        #expect(words("layer")?.prefix(3) == ["layer", "blobs", "kind"])
        #expect(words("conv1")?.prefix(2) == ["conv1", "convolution"])
        #expect(words("conv1_bn")?.prefix(2) == ["conv1_bn", "conv1"])
        #expect(words("pool1")?.prefix(3) == ["pool1", "pool1,", "pool1_mask"])
        let json = segnet("info", "segnet-basic", "--size", "64x48", "--json").output
        let rows = try JSONDecoder().decode(Document.self, from: Data(json.utf8)).summary.rows
        #expect(rows.first { $0.name == "conv1" }?.blobs == ["conv1"])
        #expect(rows.first { $0.name == "conv1_bn" }?.blobs == ["conv1"])
    }

    @Test("lists the architectures, in JSON too")
    func list() throws {
        struct Entry: Decodable { var name, summary: String }
        let entries = try JSONDecoder().decode([Entry].self, from: Data(segnet("info", "--list", "--json").output.utf8))
        #expect(entries.map(\.name) == Architecture.allCases.map(\.rawValue))
        let lines = segnet("info", "--list").output.split(separator: "\n")
        #expect(lines.count == entries.count + 1 && lines[1].hasSuffix(entries[0].summary))
    }

    @Test("a written .prototxt and .safetensors show the same network")
    func files() throws {
        let scratch = try ScratchFolder()
        try scratch.model("m.caffemodel")
        try scratch.model("m.safetensors")
        let described = segnet("info", scratch("m.prototxt"))
        let model = segnet("info", scratch("m.safetensors"))
        let both = segnet("info", scratch("m.caffemodel"), "--network", scratch("m.prototxt"))
        #expect(described.exitCode == 0 && described.output == model.output)
        // With weights there is a note about them.
        #expect(both.output.hasPrefix(model.output) && both.output.contains("note: every batch normalisation in"))
        #expect(both.errors == "\(scratch("m.caffemodel")): weights for 17 layers loaded.\n")
    }

    @Test("names the classes of a model that names them, and the weights that were loaded")
    func namesAndWeights() throws {
        struct Document: Decodable {
            struct Weights: Decodable { var loaded: [String] }
            var classNames: [String]?
            var weights: Weights?
        }
        func document(_ arguments: String...) throws -> Document {
            try JSONDecoder().decode(Document.self, from: Data(segnet(["info", "--json"] + arguments).output.utf8))
        }
        let scratch = try ScratchFolder()
        var model = try scratch.model("plain.caffemodel", classes: 2)
        model.metadata.classNames = ["ground", "sky"]
        try SafetensorsFile.write(model, to: URL(filePath: scratch("named.safetensors")))
        let lines = segnet("info", scratch("named.safetensors")).output.split(separator: "\n")
        #expect(lines.contains("classes: 0 ground, 1 sky"))
        #expect(try document(scratch("named.safetensors")).classNames == ["ground", "sky"])
        let plain = try document(scratch("plain.caffemodel"), "--network", scratch("plain.prototxt"))
        #expect(plain.classNames == nil && plain.weights?.loaded.contains("conv1") == true)
    }

    @Test(
        "takes a bundled model by its name, as convert does",
        .enabled(if: ModelStore.standard.url(of: "segnet-basic-camvid") != nil, "the bundled models are not here")
    )
    func bundled() throws {
        let scratch = try ScratchFolder()
        let file = try #require(ModelStore.standard.url(of: "segnet-basic-camvid"))
        let named = segnet("info", "segnet-basic-camvid", "--size", "32x24")
        #expect(named.exitCode == 0 && named.output == segnet("info", file.path, "--size", "32x24").output)
        #expect(segnet("info", "--model", "segnet-basic-camvid", "--size", "32x24").output == named.output)
        let converted = segnet("convert", "segnet-basic-camvid", scratch("m.safetensors"), "--precision", "float16")
        #expect(converted.exitCode == 0, "\(converted.errors)")
        #expect(scratch.files() == ["m.safetensors"])
        // The file behind the name is not replaced either.
        try FileManager.default.createSymbolicLink(atPath: scratch("link.safetensors"), withDestinationPath: file.path)
        let over = segnet("convert", "segnet-basic-camvid", scratch("link.safetensors"), "--precision", "float16")
        #expect(over.exitCode == 1 && over.errors.contains("it is being read"))
        #expect(segnet("info", "segnet-basic-camvit").errors.contains("Did you mean 'segnet-basic-camvid'? "))
        // An architecture of that name comes first.
        let architecture = segnet("info", "segnet-basic", "--size", "32x24")
        #expect(architecture.output.hasPrefix("segnet-basic: input data [1, 3, 24, 32]"))
    }

    @Test("shows a network whose weights no memory holds, with a note at most")
    func hugeWeights() {
        let result = segnet("info", "fcn-8s", "--fc", "65535", "--width", "16", "--size", "32x32")
        #expect(result.exitCode == 0 && result.output.contains(" parameters ("), "\(result.errors)")
        #expect(!result.output.contains("smaller picture size"))
    }

    @Test("says once that a map is unpooled to another size than declared")
    func unpoolingNotes() throws {
        let scratch = try ScratchFolder()
        try scratch.write(
            """
            name: "n"
            input: "data"
            input_dim: 1 input_dim: 3 input_dim: 10 input_dim: 12
            layer { name: "pool" type: "Pooling" bottom: "data" top: "pool" top: "mask"
              pooling_param { pool: MAX kernel_size: 2 stride: 2 } }
            layer { name: "up" type: "Upsample" bottom: "pool" bottom: "mask" top: "up"
              upsample_param { scale: 2 upsample_h: 11 upsample_w: 12 } }
            """,
            "n.prototxt"
        )
        for size in ["12x10", "16x14"] {
            let result = segnet("info", scratch("n.prototxt"), "--size", size)
            #expect(result.output.split(separator: "\n").count { $0.hasPrefix("note: layer 'up'") } == 1, "\(result)")
        }
    }

    @Test("JSON holds the same numbers")
    func json() throws {
        struct Document: Decodable {
            struct Summary: Decodable { var parameters: Int }
            struct Plan: Decodable { var weightBytes: Int }
            var summary: Summary
            var plan: Plan?
        }
        let result = segnet("info", "segnet", "--size", "32x32", "--json")
        let document = try JSONDecoder().decode(Document.self, from: Data(result.output.utf8))
        #expect(document.summary.parameters == 29_449_355)
        #expect((document.plan?.weightBytes ?? 0) > 100 << 20)
    }

    @Test("of the machine lists the instruction sets and marks the active one")
    func machine() throws {
        let result = segnet("info", "--machine")
        #expect(result.exitCode == 0)
        #expect(result.output.contains("portable"))
        #expect(result.output.contains("\(try InstructionSet.chosen().name) (active)"))
        struct Document: Decodable { var activeInstructionSet: String }
        let document = try JSONDecoder().decode(
            Document.self,
            from: Data(segnet("info", "--machine", "--json").output.utf8)
        )
        #expect(document.activeInstructionSet == (try InstructionSet.chosen().name))
    }
}

@Suite("segnet convert")
struct ConvertTests {
    @Test("int8 quarters the file, keeps the folded network and its answers nearly, and takes a name")
    func eightBits() throws {
        let scratch = try ScratchFolder()
        try scratch.model("m.safetensors")
        let result = segnet(
            [
                "convert", scratch("m.safetensors"), scratch("small.safetensors"), "--precision", "int8", "--name",
                "tiny",
            ]
        )
        #expect(
            result.output == "\(scratch("small.safetensors")): segnet-basic, 11 classes, 90,475 parameters, 32x24\n"
        )
        func size(_ name: String) throws -> Int { try Data(contentsOf: URL(filePath: scratch(name))).count }
        #expect(try size("small.safetensors") < size("m.safetensors") * 35 / 100)
        let old = try LoadedModel(URL(filePath: scratch("m.safetensors"))).model.foldingBatchNormalization()
        let new = try LoadedModel(URL(filePath: scratch("small.safetensors"))).model
        #expect(new.metadata.name == "tiny" && new.network == old.network)
        let exact = try #require(old.weights["conv2.weight"]).floats()
        let rounded = try #require(new.weights["conv2.weight"]).floats()
        let greatest = exact.map(abs).max() ?? 0
        #expect(zip(exact, rounded).allSatisfy { abs($0 - $1) <= greatest / 254 * 1.001 } && exact != rounded)
    }

    @Test("float16 halves the file, --size changes the network's size")
    func precisionAndSize() throws {
        let scratch = try ScratchFolder()
        try scratch.model("m.safetensors")
        let result = segnet(
            "convert",
            scratch("m.safetensors"),
            scratch("half.safetensors"),
            "--precision",
            "float16",
            "--size",
            "100x70"
        )
        // Batch normalisation is folded in: eight layers' 16 scales and 16 shifts less than with float32.
        #expect(
            result.output == "\(scratch("half.safetensors")): segnet-basic, 11 classes, 90,475 parameters, 100x70\n"
        )
        func size(_ name: String) throws -> Int { try Data(contentsOf: URL(filePath: scratch(name))).count }
        #expect(try size("half.safetensors") < size("m.safetensors") * 6 / 10)
        let model = try LoadedModel(URL(filePath: scratch("half.safetensors"))).model
        #expect(model.network.input.width == 100 && model.network.input.height == 70)
    }

    @Test("--classes-from stores names and colours, and wants as many as the network has")
    func classesFrom() throws {
        let scratch = try ScratchFolder()
        try scratch.model("m.safetensors")
        let arguments = ["convert", scratch("m.safetensors"), scratch("named.safetensors"), "--classes-from"]
        let wrong = segnet(arguments + ["camvid12"])
        #expect(wrong.exitCode == 1)
        #expect(
            wrong.errors
                == "\(scratch("m.safetensors")): 'camvid12' names 12 classes, but the network has 11; give '--classes-from' camvid11.\n"
        )
        #expect(scratch.files() == ["m.safetensors"])
        #expect(segnet(arguments + ["CamVid11"]).exitCode == 0)
        let metadata = try LoadedModel(URL(filePath: scratch("named.safetensors"))).model.metadata
        #expect(metadata.classNames == ClassTable.camVid11.classes.map(\.name))
        #expect(metadata.palette?[3] == [128, 64, 128])
        #expect(metadata.ignoredClasses.isEmpty)
    }

    @Test("what Caffe's files, or ONNX files, cannot hold is told")
    func lost() throws {
        let scratch = try ScratchFolder()
        var model = try scratch.model("m.safetensors", classes: 2)
        let (file, arguments) = (
            scratch("m.safetensors"), ["convert", scratch("m.safetensors"), scratch("c.caffemodel")]
        )
        #expect(!segnet(arguments).errors.contains("do not hold"))
        model.metadata.classNames = ["a", "b"]
        model.metadata.denseCRF = "4,49,5,3,3,10"
        try SafetensorsFile.write(model, to: URL(filePath: file))
        let result = segnet(arguments)
        #expect(
            result.errors.contains(
                "note: \(scratch("c.caffemodel")): Caffe's files do not hold the model's class names or the dense CRF that 'segnet tune crf' "
                    + "found; keep \(file) too.\n"
            ),
            "\(result.errors)"
        )
        // ONNX has a place for names.
        let onnx = segnet("convert", file, scratch("c.onnx"))
        #expect(
            onnx.errors
                == "note: \(scratch("c.onnx")): ONNX files do not hold the dense CRF that 'segnet tune crf' found; keep \(file) too.\n",
            "\(onnx.errors)"
        )
    }

    @Test("an architecture stands in for a missing description")
    func architecture() throws {
        let scratch = try ScratchFolder()
        let network = Architectures.segNetBasic(classes: 4)
        let model = Model(network: network, weights: try Weights.initial(for: network, seed: 2))
        try Caffe.write(
            model,
            weights: URL(filePath: scratch("m.caffemodel")),
            network: URL(filePath: scratch("m.prototxt"))
        )
        let arguments = [
            "convert", scratch("m.caffemodel"), scratch("m.safetensors"), "--architecture", "segnet-basic", "--classes",
        ]
        let result = segnet(arguments + ["4"])
        #expect(result.exitCode == 0)
        #expect(result.errors.hasSuffix("\(scratch("m.caffemodel")): weights for 17 layers loaded.\n"))
        let read = try LoadedModel(URL(filePath: scratch("m.safetensors"))).model
        #expect(read.network == network)
        #expect(read.weights["conv3.weight"]?.floats() == model.weights["conv3.weight"]?.floats())
        let wrong = segnet(arguments + ["5"])
        #expect(wrong.exitCode == 1)
        #expect(
            wrong.errors.contains(
                "'conv_classifier' has a weight of shape [4, 64, 1, 1], the network needs [5, 64, 1, 1]"
            )
        )
    }

    @Test(
        "a model with NaN is refused, whatever is to be written, and nothing is written",
        arguments: ["out.safetensors", "out.caffemodel", "out.onnx"]
    )
    func notFinite(output: String) throws {
        let scratch = try ScratchFolder()
        var model = try scratch.model("m.safetensors")
        let whole = try #require(model.weights["conv2.weight"])
        var values = whole.floats()
        values[7] = .nan
        model.weights["conv2.weight"] = WeightTensor(shape: whole.shape, values: values)
        try SafetensorsFile.write(model, to: URL(filePath: scratch("nan.safetensors")))
        let result = segnet("convert", scratch("nan.safetensors"), scratch(output))
        #expect(result.exitCode == 1)
        #expect(
            result.errors
                == "\(scratch("nan.safetensors")): tensor 'conv2.weight' holds nan at index 7; use another model, or train this one again.\n"
        )
        #expect(scratch.files() == ["m.safetensors", "nan.safetensors"])
        let shown = segnet("info", scratch("nan.safetensors"))
        #expect(shown.exitCode == 0 && shown.output.contains("conv2"))
        #expect(shown.errors == "warning: \(result.errors)", "\(shown.errors)")
    }

    @Test("ONNX is written in both forms", arguments: ["indices", "standard"])
    func onnx(form: String) throws {
        let scratch = try ScratchFolder()
        try scratch.model("m.safetensors")
        let result = segnet("convert", scratch("m.safetensors"), scratch("m.onnx"), "--unpool", form)
        #expect(result.exitCode == 0)
        let bytes = try Data(contentsOf: URL(filePath: scratch("m.onnx")))
        let usesMaxUnpool = bytes.range(of: Data("MaxUnpool".utf8)) != nil
        #expect(usesMaxUnpool == (form == "indices"))
    }
}

@Suite("segnet demo")
struct DemoTests {
    @Test("the demo writes its pictures and says that the weights are random")
    func demo() throws {
        let scratch = try ScratchFolder()
        let result = segnet("demo", "--random", "--output", scratch("out"))
        #expect(result.exitCode == 0)
        #expect(scratch.files("out") == ["street.color.png", "street.mask.png", "street.overlay.png", "street.png"])
        #expect(result.output.contains("The weights are random: nothing was learnt"))
        let mask = try LabelMap(path: scratch("out/street.mask.png"))
        #expect(mask.width == 480 && mask.height == 360)
        #expect(mask.pixelCounts(classCount: 11).allSatisfy { $0 > 0 })
        // Its own files may be replaced.
        #expect(segnet("demo", "--random", "--output", scratch("out")).exitCode == 0)
    }

    @Test(
        "the demo replaces nothing that it has not written",
        arguments: ["street.png", "street.mask.png", "street.overlay.png"]
    )
    func foreign(name: String) throws {
        let scratch = try ScratchFolder()
        try scratch.picture(name)
        let before = try Data(contentsOf: URL(filePath: scratch(name)))
        expectRefusal(
            of: ["demo", "--random", "--output", scratch.path],
            "Please give '--output' another folder: \(scratch(name)) already exists and would be replaced. If it is an earlier demo's, "
                + "remove it."
        )
        #expect(scratch.files() == [name])
        #expect(try Data(contentsOf: URL(filePath: scratch(name))) == before)
    }
}

@Suite("Numbers for people")
struct NumbersTests {
    @Test(
        "are grouped, rounded and scaled",
        arguments: [
            (Numbers.grouped(0), "0"), (Numbers.grouped(999), "999"), (Numbers.grouped(29_460_042), "29,460,042"),
            (Numbers.grouped(-1000), "-1,000"), (Numbers.grouped(1_000_005), "1,000,005"),
            (Numbers.fixed(3.14159, 2), "3.14"), (Numbers.fixed(-0.04, 1), "0.0"), (Numbers.fixed(0.95, 1), "1.0"),
            (Numbers.fixed(2.05, 0), "2"), (Numbers.fixed(.nan, 1), "nan"), (Numbers.percent(0.1234), "12.3 %"),
            (Numbers.mebibytes(1 << 20), "1.0 MiB"), (Numbers.clock(seconds: 65), "1:05"),
            (Numbers.clock(seconds: 3723), "1:02:03"), (Numbers.scaled(999), "999"), (Numbers.scaled(1530), "1.53 k"),
            (Numbers.scaled(106_600_000_000), "107 G"),
        ]
    )
    func words(found: String, expected: String) { #expect(found == expected) }

    @Test("sizes are two sides with an x between", arguments: ["480x360", "1X1"])
    func sizes(text: String) { #expect(PictureSize(argument: text)?.description == text.lowercased()) }

    @Test(
        "counts are followed by a noun in its number",
        arguments: [
            (counted(0, "step"), "0 steps"), (counted(1, "step"), "1 step"), (counted(2, "step"), "2 steps"),
            (counted(1, "name is", plural: "names are"), "1 name is"),
            (counted(3, "name is", plural: "names are"), "3 names are"),
        ]
    )
    func nouns(found: String, expected: String) { #expect(found == expected) }

    @Test(
        "what is not a size is refused",
        arguments: ["480", "480x", "x360", "0x5", "-3x4", "4x5x6", "a x b", "9999999x2"]
    )
    func noSizes(text: String) { #expect(PictureSize(argument: text) == nil) }
}
