import Foundation
import SegNetToolkit
import Testing

@testable import SegNetServer

@Suite("POST /v1/segment: cut-outs and polygons", .timeLimit(.minutes(5)))
struct SegmentAnnotationTests {
    @Test(
        "a cut-out is the bare segmenter's, of one class or of several",
        arguments: [["road"], ["Sky", "car", "HOUSE"]]
    )
    func cutout(names: [String]) async throws {
        let image = try TestModels.picture(width: 41, height: 29)
        let expected = try await TestModels.bare().segment(image).cutout(of: names)
        #expect(Set(stride(from: 3, to: expected.pixels.count, by: 4).map { expected.pixels[$0] }) == [0, 255])
        try await LiveServer.run { server in
            let png = try image.encodedPNG()
            let query = "classes=\(names.joined(separator: ","))"
            let reply = try await server.segment(png, "output=cutout&\(query)")
            #expect(reply.status == 200 && reply.headers["content-type"] == "image/png")
            #expect(try Image(decoding: reply.body, name: "cutout") == expected)
            let document = try await server.segment(png, "output=json&include=mask,cutout&\(query)")
            let images = try document.json(SegmentDocument.self).images
            #expect(images?.keys.sorted() == ["cutout", "mask"])
            #expect(images?["cutout"] == Data(reply.body).base64EncodedString())
        }
    }

    @Test("polygons are those of the command, in every form", arguments: AnnotationFormat.served)
    func polygons(format: AnnotationFormat) async throws {
        let image = try TestModels.picture(width: 41, height: 29)
        let segmenter = try TestModels.bare()
        let classes = try await segmenter.segment(image).classes
        func expected(_ tolerance: Double, _ file: String) throws -> [UInt8] {
            var writer = AnnotationWriter(
                format,
                classes: segmenter.outputClasses,
                tolerance: tolerance,
                isPrediction: true
            )
            writer.add(classes, file: file)
            return Array(try writer.data())
        }
        try await LiveServer.run { server in
            let png = try image.encodedPNG()
            let query = "output=polygons&format=\(format.rawValue)"
            let reply = try await server.segment(png, query)
            #expect(reply.status == 200, "\(reply.detail)")
            #expect(reply.headers["content-type"] == format.contentType)
            #expect(try reply.body == expected(format.isExact ? 0 : 1, "picture.png"))
            let exact = try await server.segment(png, query + "&tolerance=0")
            #expect(try exact.body == expected(0, "picture.png"))
            // In a form the picture has its own name.
            var form = TestForm()
            form.add("image", fileName: "street & <road>.png", png)
            form.add("output", Array("polygons".utf8))
            form.add("format", Array(format.rawValue.utf8))
            let named = try await server.request(
                "POST",
                "/v1/segment",
                ["Content-Type": form.contentType],
                body: form.bytes
            )
            #expect(try named.body == expected(format.isExact ? 0 : 1, "street & <road>.png"))
        }
    }

    @Test("without a form polygons are COCO's, and all of the bytes are those of the classes")
    func usual() async throws {
        let image = try TestModels.picture(width: 41, height: 29)
        let classes = try await TestModels.bare().segment(image).classes
        let reply = try await LiveServer.run {
            try await $0.segment(try image.encodedPNG(), "output=polygons&tolerance=0")
        }
        let file = FileManager.default.temporaryDirectory.appending(
            path: "segnet-\(UInt64.random(in: 0 ... .max)).json"
        )
        try Data(reply.body).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        let set = try AnnotationSet(coco: file.path)
        #expect(set.labels.map(\.name) == TestModels.classNames)
        #expect(try set.pictures[0].labelMap(width: 41, height: 29, unlabelled: 99, void: 98) == classes)
    }

    @Test(
        "what does not fit together is refused, with what would",
        arguments: [
            (
                "output=cutout&classes=roat",
                "The parameter 'classes': there is no class 'roat'. Did you mean 'road'? The classes are sky, house, road, tree, car."
            ),
            (
                "output=cutout&classes=sky,",
                "The parameter 'classes': there is no class ''. The classes are sky, house, road, tree, car."
            ),
            (
                "output=cutout",
                "A cut-out shows some classes: name them in 'classes', with commas between. The model 'plain' has sky, house, road, tree, car."
            ),
            ("classes=sky", "'classes' is only for cut-outs. Leave it out, or ask for output=cutout."),
            (
                "output=polygons&format=svg",
                "The parameter 'format' is 'svg'; it has to be one of coco, coco-rle, labelme, cvat, label-studio, geojson, yolo."
            ),
            (
                "output=polygons&format=coco-panoptic",
                "The parameter 'format' is 'coco-panoptic'; it has to be one of coco, coco-rle, labelme, cvat, label-studio, geojson, yolo."
            ),
            ("format=coco", "'format' is only for polygons. Leave it out, or ask for output=polygons."),
            (
                "output=mask&tolerance=2",
                "'tolerance' is only for polygons. Leave it out, or ask for output=polygons."
            ),
            (
                "output=polygons&tolerance=-1",
                "The parameter 'tolerance' is '-1'; it has to be a number in 0...1000 such as 1.5."
            ),
            (
                "output=polygons&format=coco-rle&tolerance=1",
                "'coco-rle' has pixels, not borders that could be simplified. Leave 'tolerance' out, or choose another 'format'."
            ),
        ]
    )
    func refused(query: String, detail: String) async throws {
        let reply = try await LiveServer.run { try await $0.segment(try TestModels.png(), query) }
        #expect(reply.status == 400)
        #expect(reply.detail == detail)
    }

    @Test("a batch has cut-outs in its JSON, and no polygons")
    func batch() async throws {
        try await LiveServer.run { server in
            func ask(_ query: String) async throws -> Reply {
                var form = TestForm()
                form.add("image", fileName: "a.png", try TestModels.png())
                form.add("image", fileName: "b.png", try TestModels.png(seed: 2))
                return try await server.request(
                    "POST",
                    "/v1/segment/batch?\(query)",
                    ["Content-Type": form.contentType],
                    body: form.bytes
                )
            }
            let reply = try await ask("include=cutout&classes=road,sky")
            #expect(reply.status == 200, "\(reply.detail)")
            let results = try reply.json(BatchEndpoint.Document.self).results
            #expect(results.count == 2 && results.allSatisfy { $0.result?.images?["cutout"] != nil })
            #expect(try await ask("format=coco").status == 400)
            #expect(
                try await ask("output=polygons").detail
                    == "A batch is answered in JSON. Leave 'output' out, and name the pictures that you want in 'include'."
            )
        }
    }

    @Test("polygons of more corners than the largest picture may have bytes for are refused")
    func corners() async throws {
        let image = try TestModels.picture(width: 41, height: 29)
        let corners = try await TestModels.bare().segment(image).classes.borderCornerCount
        // As few pixels as the picture has allow as few corners.
        let reply = try await LiveServer.run({ $0.limits.pixels = 41 * 29 }) {
            try await $0.segment(try image.encodedPNG(), "output=polygons")
        }
        let most = MemoryNeed.mostCorners(pixels: 41 * 29)
        #expect(corners > most)
        #expect(reply.status == 413)
        #expect(
            reply.detail
                == "The borders of the classes have \(corners) corners; the service writes polygons of up to \(most). "
                + "Use edges=nearest or size=model, or send a smaller picture."
        )
    }

    @Test("polygons are dearer than masks, and without memory for their corners they are put off")
    func budgets() async throws {
        let model = try TestModels.catalog().model("plain")
        let header = try PictureHeader(decoding: TestModels.header(width: 4000, height: 3000), name: "a.png")
        var parameters = try SegmentParameters(query: QueryParameters(nil), limits: Limits())
        let mask = SegmentationWork.price(model, parameters, header)
        parameters.output = .polygons
        #expect(SegmentationWork.price(model, parameters, header) > 3 * mask)
        let image = try TestModels.picture(width: 400, height: 300)
        let corners = try await TestModels.bare().segment(image).classes.borderCornerCount
        #expect(corners * MemoryNeed.bytesPerCorner > 60_000)
        let need = MemoryNeed.picture(pixels: 120_000, kinds: [.polygons], isJSON: false) + WorkMemory.spare
        // Room for the picture and its body, but not for the borders as well.
        try await LiveServer.run({ $0.availableMemory = { need + 50_000 } }) { server in
            let png = try image.encodedPNG()
            #expect(try await server.segment(png, "output=mask").status == 200)
            let reply = try await server.segment(png, "output=polygons")
            #expect(reply.status == 503 && reply.headers["retry-after"] == "2")
        }
    }
}
