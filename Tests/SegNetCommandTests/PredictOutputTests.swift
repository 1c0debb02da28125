import ArgumentParser
import Foundation
import SegNetToolkit
import Testing

@testable import SegNetCommand

@Suite("segnet predict: cut-outs, polygons, shares, pipes")
struct PredictOutputTests {
    private let scratch: ScratchFolder
    private let model: Model

    init() throws {
        scratch = try ScratchFolder()
        model = try scratch.model("m.safetensors")
        try scratch.picture("in/a.png", width: 50, height: 41, seed: 3)
        try scratch.picture("in/b/c, d.png", width: 20, height: 30, seed: 4)
    }

    private func predict(_ arguments: String...) -> CommandResult {
        segnet(["predict", "--model", scratch("m.safetensors")] + arguments)
    }

    private func expected(_ name: String) throws -> Segmentation {
        try Segmenter(LoadedModel(model, name: "m")).segment(try Image(path: scratch(name)))
    }

    @Test("a cut-out has the picture's pixels where it shows the classes, and is empty elsewhere")
    func cutout() throws {
        let result = try expected("in/a.png")
        let names = Array(result.shares.prefix(2).map(\.name))
        let list = "cutout:\(names[0]),cutout:\(names.joined(separator: "+").lowercased())"
        let run = predict(scratch("in/a.png"), "--save", list, "--output", scratch("out"))
        #expect(run.exitCode == 0, "\(run.errors)")
        let one = try Image(path: scratch("out/a.cutout-\(names[0]).png"))
        let photo = try Image(path: scratch("in/a.png"))
        #expect(one.channels == 4)
        for (index, id) in result.classes.ids.enumerated() {
            let pixel = Array(one.pixels[4 * index..<4 * index + 4])
            let isShown = Int(id) == result.shares[0].id
            #expect(pixel == (isShown ? Array(photo.pixels[3 * index..<3 * index + 3]) + [255] : [0, 0, 0, 0]))
        }
        let both = try Image(path: scratch("out/a.cutout-\(names.joined(separator: "+").lowercased()).png"))
        #expect(
            stride(from: 3, to: both.pixels.count, by: 4).count { both.pixels[$0] == 255 }
                == result.shares.prefix(2).reduce(0) { $0 + $1.pixels }
        )
        // Results of an earlier run are not photos.
        #expect(
            predict(scratch("out"), "--output", scratch("other")).errors.contains(
                "holds only results of an earlier run"
            )
        )
        let wrong = predict(scratch("in/a.png"), "--save", "cutout:Roat", "--output", scratch("none"))
        #expect(wrong.exitCode == 1 && wrong.errors.contains("there is no class 'Roat'. Did you mean 'Road'?"))
        #expect(!FileManager.default.fileExists(atPath: scratch("none")))
    }

    @Test("polygons with tolerance 0 give the masks again; one file for all is in the order of the inputs")
    func polygons() throws {
        let run = predict(
            scratch("in"),
            "--polygons",
            "coco",
            "--tolerance",
            "0",
            "--save",
            "mask",
            "--output",
            scratch("out")
        )
        #expect(run.exitCode == 0, "\(run.errors)")
        #expect(scratch.files("out") == ["a.mask.png", "annotations.coco.json", "b/c, d.mask.png"])
        let set = try AnnotationSet(coco: scratch("out/annotations.coco.json"))
        #expect(set.pictures.map(\.file) == ["a.png", "b/c, d.png"])
        for (picture, mask) in zip(set.pictures, ["a", "b/c, d"]) {
            let truth = try LabelMap(path: scratch("out/\(mask).mask.png"))
            #expect(try picture.labelMap(width: truth.width, height: truth.height, unlabelled: 99, void: 98) == truth)
        }
        let simple = predict(scratch("in"), "--save", "polygons", "--output", scratch("simple"))
        #expect(simple.exitCode == 0, "\(simple.errors)")
        let size = { (path: String) in try Data(contentsOf: URL(filePath: self.scratch(path))).count }
        #expect(try size("simple/annotations.coco.json") < size("out/annotations.coco.json"))
    }

    @Test("links among the outputs stay links, and their files get the results")
    func links() throws {
        for (name, kept) in [("annotations.coco.json", "kept.json"), ("shares.csv", "kept.csv")] {
            try scratch.write("old", kept)
            try FileManager.default.createDirectory(atPath: scratch("out"), withIntermediateDirectories: true)
            try FileManager.default.createSymbolicLink(
                atPath: scratch("out/\(name)"),
                withDestinationPath: "../\(kept)"
            )
        }
        let run = predict(scratch("in"), "--save", "polygons,shares", "--output", scratch("out"))
        #expect(run.exitCode == 0, "\(run.errors)")
        for (name, kept) in [("annotations.coco.json", "kept.json"), ("shares.csv", "kept.csv")] {
            let target = try FileManager.default.destinationOfSymbolicLink(atPath: scratch("out/\(name)"))
            #expect(target == "../\(kept)")
            #expect(try Data(contentsOf: URL(filePath: scratch(kept))).count > 10)
        }
    }

    @Test(
        "every form can be written for each picture, and is what its reader wants",
        arguments: AnnotationFormat.allCases
    )
    func forms(format: AnnotationFormat) throws {
        let run = predict(
            scratch("in"),
            "--polygons",
            format.rawValue,
            "--polygons-per",
            "picture",
            "--save",
            "polygons",
            "--output",
            scratch("out"),
            "--json"
        )
        #expect(run.exitCode == 0, "\(run.errors)")
        let report = try #require(try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any])
        let pictures = try #require(report["pictures"] as? [[String: Any]])
        for (picture, stem) in zip(pictures, ["a", "b/c, d"]) {
            let path = scratch("out/\(stem)\(format.suffix)")
            #expect((picture["outputs"] as? [String: String])?["polygons"] == path)
            #expect(FileManager.default.fileExists(atPath: path))
        }
        if format == .labelme {
            let set = AnnotationSet(labelme: [scratch("out/b/c, d.json")])
            #expect(set.problems.isEmpty && set.pictures[0].file == "../../in/b/c, d.png")
        }
        if format == .cocoPanoptic {
            let set = try AnnotationSet(coco: scratch("out/a.panoptic.json"))
            #expect(set.problems.isEmpty, "\(set.problems)")
            _ = try set.pictures[0].labelMap(width: 50, height: 41, unlabelled: 99, void: 98)
        }
    }

    @Test("panoptic in one file for all finds its segments")
    func panoptic() throws {
        let run = predict(
            scratch("in"),
            "--polygons",
            "coco-panoptic",
            "--save",
            "mask,polygons",
            "--output",
            scratch("out")
        )
        #expect(run.exitCode == 0, "\(run.errors)")
        let set = try AnnotationSet(coco: scratch("out/annotations.panoptic.json"))
        #expect(set.problems.isEmpty, "\(set.problems)")
        for (picture, mask) in zip(set.pictures, ["a", "b/c, d"]) {
            let truth = try LabelMap(path: scratch("out/\(mask).mask.png"))
            #expect(try picture.labelMap(width: truth.width, height: truth.height, unlabelled: 99, void: 98) == truth)
        }
    }

    @Test("shares have one line per picture, quoted if needed")
    func shares() throws {
        let run = predict(scratch("in"), "--save", "shares", "--output", scratch("out"))
        #expect(run.exitCode == 0, "\(run.errors)")
        #expect(scratch.files("out") == ["shares.csv"])
        let lines = String(decoding: try Data(contentsOf: URL(filePath: scratch("out/shares.csv"))), as: UTF8.self)
            .components(separatedBy: "\r\n")
        #expect(lines[0].hasPrefix("picture,width,height,Sky,Building,"))
        #expect(lines.count == 4 && lines[3].isEmpty)
        #expect(lines[2].hasPrefix("\"\(scratch("in/b/c, d.png"))\",20,30,"))
        let numbers = lines[1].split(separator: ",").dropFirst(3).compactMap { Double($0) }
        #expect(numbers.count == 11 && abs(numbers.reduce(0, +) - 1) < 1e-4)
        let share = try expected("in/a.png").shares[0]
        #expect(abs(numbers[share.id] - share.share) < 1e-6)
    }

    @Test("one result of one picture goes to a pipe")
    func pipe() throws {
        func bytes(_ arguments: String...) throws -> [UInt8] {
            let console = Console.recording()
            let command = try SegNetCommand.parseAsRoot(
                ["predict", "--model", scratch("m.safetensors"), scratch("in/a.png"), "--output", "-"] + arguments
            )
            try #require(command as? any ConsoleCommand).execute(on: console)
            #expect(console.recordedOutput.isEmpty)
            return console.recordedBytes
        }
        let result = try expected("in/a.png")
        #expect(try LabelMap(decoding: try bytes(), name: "pipe") == result.classes)
        #expect(try Image(decoding: try bytes("--save", "overlay"), name: "pipe") == result.overlay())
        #expect(try bytes("--save", "shares").starts(with: Array("picture,width,".utf8)))
        #expect(String(decoding: try bytes("--polygons", "cvat"), as: UTF8.self).hasPrefix("<?xml"))
        #expect(try bytes("--save", "confidence").starts(with: [0x89, 0x50]))
        #expect(scratch.files().filter { $0.contains("mask") }.isEmpty)
        #expect(
            predict(scratch("in"), "--output", "-").errors.contains(
                "Please give one picture with '--output -'; found 2 inputs."
            )
        )
        #expect(
            predict(scratch("in/a.png"), "--output", "-", "--save", "mask,color").errors.contains(
                "Please name one result with '--output -', such as '--save overlay'; found mask, color."
            )
        )
        #expect(
            predict(scratch("in/a.png"), "--output", "-", "--json").errors.contains(
                "Please give either '--json' or '--output -'"
            )
        )
    }

    @Test("an empty file is not a result, neither for --skip-existing nor for a finished shard")
    func emptied() throws {
        func mask() throws -> Data { try Data(contentsOf: URL(filePath: scratch("out/a.mask.png"))) }
        let arguments =
            ["predict", "--model", scratch("m.safetensors"), scratch("in/a.png")]
            + ["--output", scratch("out"), "--save", "mask"]
        for (option, words) in [
            (["--skip-existing"], nil),
            (["--shard", "1/1"], "1 result is missing, such as \(scratch("out/a.mask.png"));"),
        ] as [([String], String?)] {
            #expect(segnet(arguments + option).exitCode == 0)
            let whole = try mask()
            #expect(!whole.isEmpty)
            try scratch.write("", "out/a.mask.png")
            let again = segnet(arguments + option)
            #expect(again.exitCode == 0 && again.output.contains("1 picture in "), "\(again.errors)")
            if let words { #expect(again.errors.contains(words), "\(again.errors)") }
            #expect(try mask() == whole)
        }
    }

    @Test("existing results and excluded names are skipped, and a dry run does nothing")
    func choosing() throws {
        let dry = predict(scratch("in"), "--output", scratch("out"), "--save", "mask,shares", "--dry-run")
        #expect(dry.exitCode == 0, "\(dry.errors)")
        #expect(
            dry.output
                == "\(scratch("in/a.png")) -> \(scratch("out/a.mask.png")), \(scratch("out/shares.csv"))\n"
                + "\(scratch("in/b/c, d.png")) -> \(scratch("out/b/c, d.mask.png")), \(scratch("out/shares.csv"))\n2 pictures; nothing was done.\n"
        )
        #expect(!FileManager.default.fileExists(atPath: scratch("out")))
        struct Plan: Decodable {
            struct Picture: Decodable {
                var input: String
                var outputs: [String: String]?
                var error: String?
            }
            var dryRun: Bool?
            var pictures: [Picture]
            var failed: Int
        }
        let document = predict(
            scratch("in/a.png"),
            scratch("gone.png"),
            "--output",
            scratch("out"),
            "--save",
            "mask",
            "--dry-run",
            "--json"
        )
        #expect(document.exitCode == 1)
        let plan = try JSONDecoder().decode(Plan.self, from: Data(document.output.utf8))
        #expect(plan.dryRun == true && plan.failed == 1)
        #expect(plan.pictures.map(\.input) == [scratch("gone.png"), scratch("in/a.png")])
        #expect(plan.pictures.map(\.outputs) == [nil, ["mask": scratch("out/a.mask.png")]])
        #expect(plan.pictures[0].error?.contains("there is no such file or folder") == true)

        let missing = predict(scratch("in"), scratch("gone.png"), "--output", scratch("out"), "--dry-run")
        #expect(missing.exitCode == 1 && missing.errors.contains("gone.png: there is no such file or folder"))

        #expect(predict(scratch("in/a.png"), "--output", scratch("out"), "--save", "mask").exitCode == 0)
        let before =
            try FileManager.default.attributesOfItem(atPath: scratch("out/a.mask.png"))[.modificationDate] as? Date
        let again = predict(scratch("in"), "--output", scratch("out"), "--save", "mask", "--skip-existing")
        #expect(again.exitCode == 0 && again.output.contains("1 picture in "))
        #expect(again.errors.contains("note: 1 picture is skipped: all results exist already.\n"))
        #expect(
            try FileManager.default.attributesOfItem(atPath: scratch("out/a.mask.png"))[.modificationDate] as? Date
                == before
        )
        // Something is missing: it is done again.
        #expect(
            predict(scratch("in"), "--output", scratch("out"), "--save", "mask,color", "--skip-existing").output
                .contains("2 pictures in ")
        )

        for pattern in ["b", "c*", "*/b/*", "?, d.png", "c, d.p?g"] {
            let run = predict(
                scratch("in"),
                "--output",
                scratch("p"),
                "--save",
                "mask",
                "--exclude",
                pattern,
                "--dry-run"
            )
            #expect(run.exitCode == 0, "\(pattern): \(run.errors)")
            #expect(run.output.hasSuffix("1 picture; nothing was done.\n"), "\(pattern): \(run.output)")
            #expect(run.errors.contains("1 name is left out by --exclude."))
        }
        // The input's own name is not a name within it.
        let own = predict(scratch("in"), "--output", scratch("p"), "--exclude", "*/in/*", "--dry-run")
        #expect(own.exitCode == 0 && own.output.hasSuffix("2 pictures; nothing was done.\n"), "\(own.output)")
        let all = predict(scratch("in"), "--output", scratch("p"), "--exclude", "*", "--dry-run")
        #expect(all.exitCode == 1 && all.output == "0 pictures; nothing was done.\n")
        #expect(
            all.errors.contains("error: \(scratch("in")): --exclude leaves out every picture; check its patterns.\n"),
            "\(all.errors)"
        )
    }

    @Test(
        "polygons that somebody has drawn next to a picture are not replaced",
        arguments: ["labelme", "yolo", "geojson"]
    )
    func drawn(format: String) throws {
        let suffix = try #require(AnnotationFormat(rawValue: format)).suffix
        try scratch.write("drawn", "in/a\(suffix)")
        let words = [scratch("in"), "--polygons", format, "--save", "mask"]
        func predict(_ more: String...) -> CommandResult {
            segnet(["predict", "--model", scratch("m.safetensors")] + words + more)
        }
        let message =
            "error: \(scratch("in/a.png")): \(scratch("in/a\(suffix)")): already exists next to its picture, and somebody may have "
            + "drawn it; keep such files with '--skip-existing', choose another '--output', or remove it.\n"
        for more in [["--dry-run"], []] {
            let refused = segnet(
                ["predict", "--model", scratch("m.safetensors"), "--output", scratch("in/")] + words + more
            )
            #expect(refused.exitCode == 1 && refused.errors.contains(message), "\(refused.errors)")
            #expect(!refused.output.contains("a.mask.png"))
        }
        #expect(!scratch.files("in").contains("a.mask.png") && scratch.files("in").contains("b/c, d\(suffix)"))
        let kept = predict("--output", scratch("in"), "--skip-existing")
        #expect(kept.exitCode == 0, "\(kept.errors)")
        #expect(kept.errors.contains("note: 1 file of polygons next to pictures is left as it is; other results "))
        #expect(scratch.files("in").contains("a.mask.png"))
        #expect(try String(contentsOfFile: scratch("in/a\(suffix)"), encoding: .utf8) == "drawn")
        // Elsewhere they are results of earlier runs.
        for _ in 0..<2 { #expect(predict("--output", scratch("out")).exitCode == 0) }
    }

    @Test("CVAT's annotations next to the pictures are not replaced", arguments: [["--dry-run"], []])
    func drawnInCVAT(more: [String]) throws {
        try scratch.write("drawn", "in/annotations.xml")
        let words = [
            "predict", "--model", scratch("m.safetensors"), scratch("in"), "--polygons", "cvat", "--save", "mask",
        ]
        let refused = segnet(words + ["--output", scratch("in")] + more)
        #expect(refused.exitCode == 64)
        #expect(
            refused.errors.contains(
                "Please give another '--output': \(scratch("in/annotations.xml")) already exists next to the pictures, and somebody may have "
                    + "drawn it. If that is an earlier result, remove it."
            ),
            "\(refused.errors)"
        )
        #expect(scratch.files("in") == ["a.png", "annotations.xml", "b/c, d.png"])
        // Elsewhere it is the result of an earlier run.
        for _ in 0..<2 { #expect(segnet(words + ["--output", scratch("out")]).exitCode == 0) }
    }

    @Test(
        "what does not fit together is refused",
        arguments: [
            (["--tolerance", "2"], "Please name the polygons too ('--polygons FORMAT')"),
            (
                ["--polygons", "coco", "--tolerance", "-1"],
                "Please give '--tolerance' a number in 0...1000; found -1.0."
            ),
            (
                ["--polygons", "coco-rle", "--tolerance", "1"],
                "Please leave '--tolerance' out: 'coco-rle' has pixels, not borders."
            ),
            (
                ["--polygons", "labelme", "--polygons-per", "all"],
                "Please leave '--polygons-per all' out: a file of 'labelme' describes one picture."
            ),
            (
                ["--save", "shares", "--skip-existing"],
                "Please leave '--skip-existing' out: the file of 'shares' covers all pictures"
            ),
            (["--polygons", "coco", "--skip-existing"], "('--polygons-per picture' writes one for each)."),
            (["--save", "cutout:"], "'cutout:' is not one of mask"),
            (["--save", "cutout:+"], "'cutout:+' is not one of mask"),
        ]
    )
    func refused(arguments: [String], message: String) {
        let result = segnet(["predict", "a.png", "--model", scratch("m.safetensors")] + arguments)
        #expect(result.exitCode == 64 && result.errors.contains(message), "\(result.errors)")
    }
}
