import ArgumentParser
import Foundation
import SegNetToolkit
import Testing

@testable import SegNetCommand

@Suite("segnet predict --tile")
struct PredictTilesTests {
    /// A georeferenced TIFF that tifffile has written.
    static let aerial =
        String(#filePath.dropLast("SegNetCommandTests/PredictTilesTests.swift".count))
        + "SegNetImagesTests/Goldens/formats/geo-big-tiles.tif"

    static let needsTIFF = ConditionTrait.enabled(if: PictureLibrary.tiff.isThere, "libtiff is not on this machine")

    /// Writes a noisy TIFF with a place on Earth.
    static func picture(_ path: String, width: Int, height: Int) throws {
        let writer = try TIFFWriter(
            path: path,
            width: width,
            height: height,
            .rgb,
            georeference: try GeoTIFFTags(path: aerial)
        )
        var random = RandomNumbers(seed: 4)
        try writer.write(rgb: (0..<width * height * 3).map { _ in UInt8(truncatingIfNeeded: random.next()) })
        try writer.finish()
    }

    @Test("a TIFF is read and written in pieces, keeps its georeference, and has the whole picture's result", needsTIFF)
    func pieces() throws {
        let scratch = try ScratchFolder()
        try Self.picture(scratch("a.tif"), width: 530, height: 491)
        try scratch.model("m.safetensors")
        let result = segnet(
            "predict",
            scratch("a.tif"),
            "--model",
            scratch("m.safetensors"),
            "--output",
            scratch("out"),
            "--tile",
            "448x448",
            "--json"
        )
        #expect(result.exitCode == 0)
        #expect(scratch.files("out") == ["a.color.tif", "a.mask.tif", "a.overlay.tif"])
        let segmenter = try Segmenter(model: URL(filePath: scratch("m.safetensors")))
        let image = try Image(path: scratch("a.tif"))
        let tiling = Segmenter.Tiling(width: 448, height: 448)
        let plan = try segmenter.tilePlan(tiling, width: 530, height: 491)
        let expected = try segmenter.segment(image, .init(tiles: tiling))
        #expect(expected.tileCount == plan.tileCount && plan.tileCount > 1)
        #expect(try LabelMap(path: scratch("out/a.mask.tif")) == expected.classes)
        #expect(try Image(path: scratch("out/a.color.tif")) == expected.colored())
        #expect(try Image(path: scratch("out/a.overlay.tif")) == expected.overlay())
        let reference = try GeoTIFFTags(path: Self.aerial)
        for kind in ["mask", "color", "overlay"] {
            #expect(try GeoTIFFTags(path: scratch("out/a.\(kind).tif")) == reference)
        }
        #expect(result.errors.contains("a.tif: 530x491 in \(plan.tileCount) tiles of 448x448, overlap "))
        #expect(result.output.contains("\"tiles\" : \(plan.tileCount)"))
        // The results of a run are not inputs of the next.
        #expect(InputList([scratch("out")], output: scratch("elsewhere")).pictures.isEmpty)
    }

    @Test("whole pictures, tiles and pieces agree with an overlap that is exact", needsTIFF)
    func exact() throws {
        let scratch = try ScratchFolder()
        try Self.picture(scratch("a.tif"), width: 260, height: 233)
        try scratch.model("m.safetensors")
        let reach = try #require(
            try Segmenter(model: URL(filePath: scratch("m.safetensors")), options: .init(accuracy: .exact)).reach
        )
        let tile = reach.exactOverlap + reach.grain
        let shared = ["--model", scratch("m.safetensors"), "--accuracy", "exact", "--save", "mask"]
        let tiles = ["--tile", "\(tile)x\(tile)", "--overlap", "\(reach.exactOverlap)"]
        let whole = segnet(["predict", scratch("a.tif"), "--size", "native", "--output", scratch("whole")] + shared)
        #expect(whole.exitCode == 0)
        let pieces = segnet(["predict", scratch("a.tif"), "--output", scratch("pieces")] + shared + tiles)
        let note = "overlap \(reach.exactOverlap) (the whole picture's result, bit for bit)"
        #expect(pieces.errors.contains(note))
        let inMemory = segnet(
            ["predict", scratch("a.tif"), "--output", scratch("memory"), "--mask-format", "png"] + shared + tiles
        )
        #expect((pieces.exitCode, inMemory.exitCode) == (0, 0) && inMemory.errors.contains(note))
        let wanted = try LabelMap(path: scratch("whole/a.mask.png"))
        #expect(try LabelMap(path: scratch("pieces/a.mask.tif")) == wanted)
        #expect(try LabelMap(path: scratch("memory/a.mask.png")) == wanted)
    }

    @Test("polygons of a GeoTIFF lie where it lies, whole and in tiles, and the rest is said", needsTIFF)
    func geoJSON() throws {
        let scratch = try ScratchFolder()
        try scratch.model("m.safetensors")
        let files =
            #filePath.dropLast("SegNetCommandTests/PredictTilesTests.swift".count)
            + "SegNetAnnotationsTests/Files/geotiff"
        for name in ["utm", "no-system", "nothing", "tiepoints"] {
            try FileManager.default.createDirectory(atPath: scratch("in"), withIntermediateDirectories: true)
            try FileManager.default.copyItem(atPath: "\(files)/\(name).tif", toPath: scratch("in/\(name).tif"))
        }
        func run(_ more: String...) throws -> (errors: String, text: String) {
            let result = segnet(
                ["predict", scratch("in"), "--model", scratch("m.safetensors"), "--output", scratch("out")] + more
            )
            #expect(result.exitCode == 0, "\(result.errors)")
            let file = URL(filePath: scratch("out/utm.geojson"))
            return (result.errors, String(decoding: try Data(contentsOf: file), as: UTF8.self))
        }
        let geoJSON = ["--save", "polygons", "--polygons", "geojson"]
        let whole = try run(geoJSON[0], geoJSON[1], geoJSON[2], geoJSON[3], "--size", "native")
        #expect(whole.text.contains("urn:ogc:def:crs:EPSG::32633"))
        // 40 x 30 pixels of 0.5 x 0.25 m: the corners of the picture are corners of regions.
        for corner in ["[500000,5650000]", "[500020,5650000]", "[500000,5649992.5]", "[500020,5649992.5]"] {
            #expect(whole.text.contains(corner))
        }
        #expect(
            whole.errors.contains(
                "nothing.tif and 1 more: no georeference and no world file was found; the GeoJSON's coordinates are pixels, from the upper left corner."
            )
        )
        #expect(
            whole.errors.contains(
                "no-system.tif: no EPSG code was found; the GeoJSON has the coordinates, but does not name their reference system."
            )
        )
        let tiles = try run(geoJSON[0], geoJSON[1], geoJSON[2], geoJSON[3], "--tile", "40x30")
        #expect(tiles.text == whole.text)
        // In several tiles, with everything that is made of classes.
        try Self.picture(scratch("large.tif"), width: 530, height: 491)
        let many = segnet(
            ["predict", scratch("large.tif"), "--model", scratch("m.safetensors"), "--output", scratch("many")]
                + ["--save", "polygons,shares,cutout:Road", "--polygons", "geojson", "--tile", "448x448", "--json"]
        )
        #expect(many.exitCode == 0, "\(many.errors)")
        #expect(many.output.contains("\"tiles\" : "))
        #expect(scratch.files("many") == ["large.cutout-Road.png", "large.geojson", "shares.csv"])
        let text = String(decoding: try Data(contentsOf: URL(filePath: scratch("many/large.geojson"))), as: UTF8.self)
        #expect(text.contains("\"class\":") && !text.contains("\"crs\":\"pixels\""))
    }

    @Test("--mask-format tiff keeps the georeference of a picture that runs at once", needsTIFF)
    func maskFormat() throws {
        let scratch = try ScratchFolder()
        try scratch.picture("b.png")
        try scratch.model("m.safetensors")
        let result = segnet(
            "predict",
            Self.aerial,
            scratch("b.png"),
            "--model",
            scratch("m.safetensors"),
            "--output",
            scratch("out"),
            "--save",
            "mask,color",
            "--mask-format",
            "tiff"
        )
        #expect(result.exitCode == 0)
        #expect(
            scratch.files("out") == ["b.color.png", "b.mask.tif", "geo-big-tiles.color.png", "geo-big-tiles.mask.tif"]
        )
        #expect(try GeoTIFFTags(path: scratch("out/geo-big-tiles.mask.tif")) == GeoTIFFTags(path: Self.aerial))
        #expect(try GeoTIFFTags(path: scratch("out/b.mask.tif")) == nil)
        #expect(try LabelMap(path: scratch("out/b.mask.tif")).width == 24)
    }

    @Test(
        "a TIFF that is stored turned gives its georeference to no mask, which is not turned, and a note says so",
        needsTIFF
    )
    func turned() throws {
        let scratch = try ScratchFolder()
        let place = "SegNetAnnotationsTests/Files/geotiff/utm.tif"
        let root = String(#filePath.dropLast("SegNetCommandTests/PredictTilesTests.swift".count))
        var bytes = [UInt8](try Data(contentsOf: URL(filePath: root + place)))
        // PlanarConfiguration (284) becomes Orientation (274): 3, half a turn, as in `GeoreferenceTests`.
        let tag: [UInt8] = [0x1C, 0x01, 3, 0, 1, 0, 0, 0, 1, 0]
        let at = try #require((0..<bytes.count - 10).first { Array(bytes[$0..<$0 + 10]) == tag })
        (bytes[at], bytes[at + 8]) = (0x12, 3)
        try Data(bytes).write(to: URL(filePath: scratch("turned.tif")))
        try FileManager.default.copyItem(atPath: root + place, toPath: scratch("upright.tif"))
        try scratch.model("m.safetensors")
        let result = segnet(
            ["predict", scratch("turned.tif"), scratch("upright.tif"), "--model", scratch("m.safetensors")]
                + ["--output", scratch("out"), "--save", "mask", "--mask-format", "tiff"]
        )
        #expect(result.exitCode == 0, "\(result.errors)")
        #expect(
            result.errors.contains(
                "turned.tif: is stored rotated (Orientation), and its georeference refers to the pixels as stored; the mask has none."
            )
        )
        #expect(try GeoTIFFTags(path: scratch("out/turned.mask.tif")) == nil)
        #expect(try GeoTIFFTags(path: scratch("out/upright.mask.tif")) == GeoTIFFTags(path: scratch("upright.tif")))
    }

    @Test("--resume continues from a part of the same run, and from no other", needsTIFF)
    func resumes() throws {
        let scratch = try ScratchFolder()
        try Self.picture(scratch("a.tif"), width: 40, height: 900)
        try scratch.model("m.safetensors")
        let arguments = [
            "predict", scratch("a.tif"), "--model", scratch("m.safetensors"), "--output", scratch("out"), "--tile",
            "256x256", "--overlap", "64", "--save", "mask", "--resume",
        ]
        #expect(segnet(arguments).exitCode == 0)
        let whole = try LabelMap(path: scratch("out/a.mask.tif"))
        let segmenter = try Segmenter(model: URL(filePath: scratch("m.safetensors")))
        let plan = try segmenter.tilePlan(.init(width: 256, height: 256, overlap: 64), width: 40, height: 900)
        // The leavings of a killed run: a header, and rows that show whether they were used.
        try FileManager.default.removeItem(atPath: scratch("out/a.mask.tif"))
        let options = try #require(try SegNetCommand.parseAsRoot(arguments) as? Predict)
        let picture = try #require(InputList([scratch("a.tif")], output: scratch("out")).pictures.first)
        let request = Segmenter.Request(size: .picture, tiles: .init(width: 256, height: 256, overlap: 64))
        let tiled = try #require(
            try TiledPrediction(picture, scratch("out/a"), segmenter, request, options, Console.recording())
        )
        let ends = (0...2).map { TiledRun.finishedRows(plan, after: $0) }
        let rows = ends[2]
        func leavePart() throws {
            let part = try tiled.makePart()
            try part.begin()
            for tileRow in 0..<2 {
                let range = ends[tileRow]..<ends[tileRow + 1]
                let marked = [UInt16](repeating: 10, count: range.count * 40)
                try part.append(marked, rows: range, bytesPerID: 1)
            }
        }
        func change(_ body: (inout [UInt8]) -> Void) throws {
            var bytes = [UInt8](try Data(contentsOf: URL(filePath: tiled.partPath)))
            body(&bytes)
            try Data(bytes).write(to: URL(filePath: tiled.partPath))
        }
        try leavePart()
        // Of the third, only a beginning is there.
        try change { $0 += [UInt8](repeating: 10, count: 17) }
        let resumed = segnet(arguments)
        #expect(resumed.exitCode == 0)
        #expect(resumed.errors.contains("2 of \(plan.rows.tiles.count) rows of tiles are already done"))
        let found = try LabelMap(path: scratch("out/a.mask.tif"))
        #expect(Array(found.ids[..<(rows * 40)]) == [UInt16](repeating: 10, count: rows * 40))
        #expect(Array(found.ids[(rows * 40)...]) == Array(whole.ids[(rows * 40)...]))
        #expect(scratch.files("out") == ["a.mask.tif"])
        // Other settings: it starts again.
        try leavePart()
        try change { $0[12] = 48 }
        #expect(segnet(arguments).exitCode == 0)
        #expect(try LabelMap(path: scratch("out/a.mask.tif")) == whole)
        // A row of tiles that is damaged: it is done again.
        try leavePart()
        try change { $0[$0.count - 1] = 3 }
        let damaged = segnet(arguments)
        #expect(damaged.errors.contains("1 of \(plan.rows.tiles.count) rows of tiles are already done"))
        let repaired = try LabelMap(path: scratch("out/a.mask.tif"))
        #expect(Array(repaired.ids[(ends[1] * 40)...]) == Array(whole.ids[(ends[1] * 40)...]))
        // Without --resume, too.
        try leavePart()
        #expect(segnet(arguments.dropLast()).exitCode == 0)
        #expect(try LabelMap(path: scratch("out/a.mask.tif")) == whole)
    }

    @Test("a folder in the place of a result is found before the first tile", needsTIFF)
    func takenName() throws {
        let scratch = try ScratchFolder()
        try Self.picture(scratch("a.tif"), width: 40, height: 30)
        try scratch.model("m.safetensors")
        try scratch.write("", "out/a.overlay.tif/x")
        let result = segnet(
            ["predict", scratch("a.tif"), "--model", scratch("m.safetensors"), "--output", scratch("out")]
                + ["--tile", "256x256", "--save", "mask,overlay"]
        )
        #expect(result.exitCode == 1)
        #expect(result.errors.contains("a.overlay.tif: cannot be written (a folder has that name)"), "\(result.errors)")
        #expect(!result.errors.contains("40x30 in 1 tile"), "\(result.errors)")
        #expect(scratch.files("out") == ["a.overlay.tif/x"])
    }

    @Test(
        "killed at any moment it leaves no file with a final name, and goes on to the same end",
        needsTIFF,
        .enabled(if: BuiltCommand.isThere, "the segnet command is not built")
    )
    func killed() throws {
        let scratch = try ScratchFolder()
        try Self.picture(scratch("a.tif"), width: 300, height: 2500)
        try scratch.model("m.safetensors")
        func run(_ output: String, killAfter seconds: Double?) throws -> Int32? {
            let process = Process()
            process.executableURL = BuiltCommand.url
            process.arguments = [
                "predict", scratch("a.tif"), "--model", scratch("m.safetensors"), "--output", scratch(output), "--tile",
                "256x256", "--overlap", "64", "--save", "mask,overlay", "--resume", "--threads", "1",
            ]
            process.standardError = FileHandle.nullDevice
            process.standardOutput = FileHandle.nullDevice
            try process.run()
            if let seconds {
                Thread.sleep(forTimeInterval: seconds)
                kill(process.processIdentifier, SIGKILL)
            }
            process.waitUntilExit()
            return process.terminationReason == .uncaughtSignal ? nil : process.terminationStatus
        }
        let clock = ContinuousClock()
        let start = clock.now
        #expect(try run("whole", killAfter: nil) == 0)
        let whole = (clock.now - start) / .seconds(1)
        var random = RandomNumbers(seed: 6)
        var kills = 0
        // In parts of the whole run's time, so that kills fall into all of it, however fast the machine is. The first comes early, in case
        // the machine was busier before.
        while kills < 100,
            try run("killed", killAfter: whole * (kills == 0 ? 0.1 : 0.05 + 0.5 * random.uniform())) == nil
        {
            kills += 1
            let names = scratch.files("killed").filter { !$0.hasPrefix(".") }
            // The mask gets its name before the overlay. Each is complete if it is there.
            for name in names {
                #expect(
                    FileManager.default.contentsEqual(
                        atPath: scratch("killed/\(name)"),
                        andPath: scratch("whole/\(name)")
                    )
                )
            }
        }
        #expect(try run("killed", killAfter: nil) == 0)
        #expect(kills > 0)
        for name in ["a.mask.tif", "a.overlay.tif"] {
            #expect(
                FileManager.default.contentsEqual(atPath: scratch("killed/\(name)"), andPath: scratch("whole/\(name)"))
            )
        }
        // Foundation's own temporary files (.dat.nosync...) of the first moments may stay.
        let left = scratch.files("killed").filter { !$0.hasPrefix(".dat.") }
        #expect(left == ["a.mask.tif", "a.overlay.tif"])
    }

    @Test("--max-pixels replaces the limits, and errors name it", needsTIFF)
    func mostPixels() throws {
        let scratch = try ScratchFolder()
        try scratch.picture("b.png", width: 50, height: 40)
        try Self.picture(scratch("a.tif"), width: 50, height: 40)
        try scratch.model("m.safetensors")
        let shared = ["--model", scratch("m.safetensors"), "--output", scratch("out"), "--save", "mask"]
        let few = segnet(["predict", scratch("b.png"), scratch("a.tif"), "--max-pixels", "1999"] + shared)
        #expect(few.exitCode == 1)
        for name in ["b.png", "a.tif"] {
            #expect(
                few.errors.contains(
                    "error: \(scratch(name)): declares 50x40 pixels, more than the limit of 1999; make it smaller, or raise '--max-pixels'.\n"
                )
            )
        }
        let pieces = segnet(["predict", scratch("a.tif"), "--max-pixels", "1999", "--tile", "512x512"] + shared)
        #expect(pieces.errors.contains("declares 50x40 pixels, more than the limit of 1999"))
        #expect(segnet(["predict", scratch("b.png"), "--max-pixels", "2000"] + shared).exitCode == 0)
    }

    @Test("tiles that are too small for the network are refused once, before the first picture")
    func tooSmall() throws {
        let scratch = try ScratchFolder()
        for name in ["in/a.png", "in/b.png"] { try scratch.picture(name) }
        try scratch.model("m.safetensors")
        let result = segnet(
            [
                "predict", scratch("in"), "--model", scratch("m.safetensors"), "--output", scratch("out"), "--tile",
                "1x1",
            ]
        )
        #expect(result.exitCode == 1)
        #expect(
            result.errors.hasPrefix(
                "network 'segnet-basic': tiles of 1x1 are smaller than one pixel of its coarsest map, which covers 16x16 pixels of a "
                    + "picture. Give a size of tiles (--tile) of at least 48x48; from "
            ),
            "\(result.errors)"
        )
        #expect(!FileManager.default.fileExists(atPath: scratch("out")))
    }

    @Test(
        "options that contradict each other are named",
        arguments: [
            (["--overlap", "4"], "Please give '--overlap' only with '--tile'."),
            (
                ["--tile", "64x48", "--overlap", "48"],
                "less than the sides of '--tile' 64x48; with 48 nothing is left of them"
            ),
            (["--tile", "64x48", "--overlap=-1"], "Please give '--overlap' a number of at least 0; found -1."),
            (["--tile", "64x48", "--size", "32x32"], "Please leave '--size 32x32' out with '--tile'"),
            (
                ["--tile", "64x48", "--tta", "flip"],
                "Please leave '--samples', '--tta' and '--refine' out with '--tile'."
            ),
            (["--tile", "64x48", "--save", "logits"], "Please leave 'logits' out with '--tile'"),
            (
                ["--resume"],
                "Please give '--resume' only where a TIFF is read in pieces: with '--tile' or '--size native'"
            ),
            (["--resume", "--tile", "64x48", "--save", "mask,shares"], "Please give '--resume' only where a TIFF"),
            (["--resume", "--size", "native", "--mask-format", "png"], "Please give '--resume' only where a TIFF"),
            (["--max-pixels", "0"], "Please give '--max-pixels' a number of at least 1; found 0."),
        ]
    )
    func contradictions(options: [String], words: String) {
        let result = segnet(["predict", "a.png", "--model", "m.safetensors"] + options)
        #expect(result.exitCode == 64)
        #expect(result.errors.contains(words))
    }
}
