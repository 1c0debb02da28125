import Foundation
import HTTPTypes
import SegNetToolkit
import Testing

@testable import SegNetServer

@Suite("POST /v1/segment")
struct SegmentTests {
    @Test(
        "the mask is the bare segmenter's, at the photo's size",
        arguments: ["", "output=mask", "model=plain", "size=model"]
    )
    func mask(query: String) async throws {
        let image = try TestModels.picture(width: 41, height: 29)
        let expected = try await TestModels.bare().segment(image)
        let reply = try await LiveServer.run { try await $0.segment(try image.encodedPNG(), query) }
        #expect(reply.status == 200)
        #expect(reply.headers["content-type"] == "image/png")
        #expect(try LabelMap(decoding: reply.body, name: "mask") == expected.classes)
        #expect(Set(expected.classes.ids).count > 1, "a picture of one class would prove nothing")
    }

    @Test("colours and overlay are the bare segmenter's")
    func pictures() async throws {
        let image = try TestModels.picture()
        let expected = try await TestModels.bare().segment(image)
        try await LiveServer.run { server in
            let color = try await server.segment(try image.encodedPNG(), "output=color")
            #expect(try Image(decoding: color.body, name: "color") == expected.colored())
            let overlay = try await server.segment(try image.encodedPNG(), "output=overlay")
            #expect(try Image(decoding: overlay.body, name: "overlay") == expected.overlay())
        }
    }

    @Test("confidence and probabilities are the bare segmenter's")
    func numbers() async throws {
        let image = try TestModels.picture()
        let request = Segmenter.Request(keeps: [.confidence, .probabilities])
        let expected = try await TestModels.bare().segment(image, request)
        try await LiveServer.run { server in
            let confidence = try await server.segment(try image.encodedPNG(), "output=confidence")
            #expect(try Image(decoding: confidence.body, name: "confidence") == expected.confidenceImage())
            let probabilities = try await server.segment(try image.encodedPNG(), "output=probabilities")
            #expect(probabilities.headers["content-type"] == "application/x-npy")
            let map = try #require(expected.probabilities)
            #expect(probabilities.body == (try NPYFile.encode(map.values, shape: map.shape)))
            #expect(map.shape == [5, 48, 64])
        }
    }

    @Test("a dense CRF refines the classes and the probabilities")
    func refined() async throws {
        let image = try TestModels.picture(width: 41, height: 29)
        let segmenter = try TestModels.bare()
        let expected = try await segmenter.segment(image, .init(refinement: .denseCRF(nil), keeps: [.probabilities]))
        #expect(expected.classes != (try await segmenter.segment(image).classes))
        try await LiveServer.run { server in
            let mask = try await server.segment(try image.encodedPNG(), "refine=crf")
            #expect(try LabelMap(decoding: mask.body, name: "mask") == expected.classes)
            let probabilities = try await server.segment(try image.encodedPNG(), "refine=crf&output=probabilities")
            let map = try #require(expected.probabilities)
            #expect(map.shape == [5, 29, 41])
            #expect(probabilities.body == (try NPYFile.encode(map.values, shape: map.shape)))
        }
    }

    @Test(
        "other sizes run the network there",
        arguments: [("size=native", Segmenter.RunSize.picture), ("size=32x24", .fixed(width: 32, height: 24))]
    )
    func sizes(query: String, size: Segmenter.RunSize) async throws {
        let image = try TestModels.picture(width: 50, height: 38)
        let expected = try await TestModels.bare().segment(image, Segmenter.Request(size: size))
        let reply = try await LiveServer.run { try await $0.segment(try image.encodedPNG(), query) }
        #expect(try LabelMap(decoding: reply.body, name: "mask") == expected.classes)
    }

    @Test("JSON has all classes by id, shares that sum to 1, timing, and the pictures of include")
    func json() async throws {
        let image = try TestModels.picture()
        let expected = try await TestModels.bare().segment(image)
        let reply = try await LiveServer.run {
            try await $0.segment(try image.encodedPNG(), "output=json&include=mask,confidence")
        }
        #expect(reply.headers["content-type"] == "application/json")
        let document = try reply.json(SegmentDocument.self)
        #expect(document.model == "plain")
        #expect((document.width, document.height, document.samples) == (40, 30, 1))
        #expect(document.classes.map(\.name) == TestModels.classNames)
        #expect(document.classes.map(\.id) == [0, 1, 2, 3, 4])
        #expect(document.classes[2].color == "#804080")
        #expect(abs(document.classes.map(\.share).reduce(0, +) - 1) < 1e-9)
        for share in expected.shares { #expect(document.classes[share.id].share == share.share) }
        #expect(document.timing.network > 0)
        #expect(document.images?.keys.sorted() == ["confidence", "mask"])
        let mask = try #require(document.images?["mask"].flatMap { Data(base64Encoded: $0) })
        #expect(try LabelMap(decoding: [UInt8](mask), name: "mask") == expected.classes)
    }

    @Test("without include the JSON has no pictures")
    func plainJSON() async throws {
        let reply = try await LiveServer.run { try await $0.segment(try TestModels.png(), "output=json") }
        #expect(try reply.json(SegmentDocument.self).images == nil)
        #expect(!reply.text.contains("images"))
    }

    @Test("a Bayesian model is sampled as the bare segmenter does it, and the seed counts")
    func sampling() async throws {
        let image = try TestModels.picture()
        let bare = try TestModels.bare(sampled: true, Segmenter.Options(threads: 1, sampling: true))
        let expected = try await bare.segment(image, Segmenter.Request(.samples(4, seed: 9)))
        try await LiveServer.run { server in
            let png = try image.encodedPNG()
            let query = "model=bayesian&samples=4&seed=9"
            let mask = try await server.segment(png, query)
            #expect(try LabelMap(decoding: mask.body, name: "mask") == expected.classes)
            let uncertainty = try await server.segment(png, query + "&output=uncertainty")
            #expect(try Image(decoding: uncertainty.body, name: "uncertainty") == expected.uncertaintyImage())
            let other = try await server.segment(png, "model=bayesian&samples=4&seed=10&output=uncertainty")
            #expect(other.body != uncertainty.body)
            let document = try await server.segment(png, query + "&output=json&include=uncertainty").json(
                SegmentDocument.self
            )
            #expect(document.samples == 4)
            #expect(document.images?["uncertainty"] == Data(uncertainty.body).base64EncodedString())
        }
    }

    @Test("a form does what the raw bytes do, and the query may say what it leaves out")
    func form() async throws {
        let png = try TestModels.png()
        try await LiveServer.run { server in
            let raw = try await server.segment(png, "output=color")
            var form = TestForm()
            form.add("output", Array("color".utf8))
            form.add("image", fileName: "a b.png", png)
            let reply = try await server.segment(form.bytes, "", ["Content-Type": form.contentType])
            #expect(reply.body == raw.body)
            var bare = TestForm()
            bare.add("image", fileName: "a b.png", png)
            let asked = try await server.segment(bare.bytes, "output=color", ["Content-Type": bare.contentType])
            #expect(asked.body == raw.body)
            let twice = try await server.segment(form.bytes, "output=color", ["Content-Type": form.contentType])
            #expect(twice.body == raw.body)
        }
    }

    @Test("a JPEG is turned as its camera says, and the mask with it")
    func jpeg() async throws {
        let image = try TestModels.picture(width: 48, height: 32)
        let jpeg = try image.encodedJPEG()
        let decoded = try Image(decoding: jpeg, name: "photo")
        let expected = try await TestModels.bare().segment(decoded)
        let reply = try await LiveServer.run { try await $0.segment(jpeg, "", ["Content-Type": "image/jpeg"]) }
        #expect(try LabelMap(decoding: reply.body, name: "mask") == expected.classes)
    }

    @Test("every answer says how long each stage took")
    func serverTiming() async throws {
        let reply = try await LiveServer.run { try await $0.segment(try TestModels.png()) }
        let stages = (reply.headers["server-timing"] ?? "").split(separator: ",").map {
            $0.trimmingCharacters(in: .whitespaces).split(separator: ";dur=")
        }
        #expect(stages.map(\.first) == ["queue", "decode", "network", "encode"])
        for stage in stages { #expect(Double(stage[1]) ?? -1 >= 0) }
    }

    @Test("a batch has a result or an error for each file, in their order")
    func batch() async throws {
        let png = try TestModels.png()
        var form = TestForm()
        form.add("image", fileName: "a.png", png)
        form.add("image", fileName: "b.txt", Array("hello, world".utf8))
        form.add("image", fileName: "c.png", Array(png.dropLast(20)))
        form.add("image", fileName: "d.png", try TestModels.header(width: 100_000, height: 100_000))
        form.add("image", fileName: "e.png", try TestModels.png(seed: 2))
        try await LiveServer.run { server in
            let reply = try await server.request(
                "POST",
                "/v1/segment/batch?include=mask",
                ["Content-Type": form.contentType, "X-Request-ID": "batch-1"],
                body: form.bytes
            )
            #expect(reply.status == 200)
            #expect(reply.headers["server-timing"] != nil)
            let results = try reply.json(BatchEndpoint.Document.self).results
            #expect(results.map(\.file) == ["a.png", "b.txt", "c.png", "d.png", "e.png"])
            #expect(results.map(\.status) == [200, 415, 400, 413, 200])
            #expect(
                results[1].error?.detail
                    == "'b.txt' is not a PNG or JPEG: it begins with 'hello'. Send a PNG or JPEG photo."
            )
            #expect(results[1].error?.requestId == "batch-1")
            #expect(results[0].error == nil)
            let single = try await server.segment(png)
            #expect(results[0].result?.images?["mask"] == Data(single.body).base64EncodedString())
        }
    }

    @Test("a batch of which nothing could be segmented is an error, with each picture's own")
    func failedBatch() async throws {
        let text = Array("hello, world".utf8)
        let huge = try TestModels.header(width: 100_000, height: 100_000)
        let cases: [(files: [[UInt8]], status: Int, each: [Int], detail: String)] = [
            ([text], 415, [415], "'0.png' is not a PNG or JPEG: it begins with 'hello'. Send a PNG or JPEG photo."),
            (
                [text, text], 415, [415, 415],
                "None of the 2 pictures could be segmented; 'results' has the reason for each. The first: "
                    + "'0.png' is not a PNG or JPEG: it begins with 'hello'. Send a PNG or JPEG photo."
            ),
            ([[], []], 400, [400, 400], ""), ([huge, huge], 413, [413, 413], ""),
            (
                [text, [], huge], 422, [415, 400, 413],
                "None of the 3 pictures could be segmented; 'results' has the reason for each. The first: "
                    + "'0.png' is not a PNG or JPEG: it begins with 'hello'. Send a PNG or JPEG photo."
            ),
        ]
        try await LiveServer.run { server in
            for (files, status, each, detail) in cases {
                var form = TestForm()
                for (index, file) in files.enumerated() { form.add("image", fileName: "\(index).png", file) }
                let reply = try await server.request(
                    "POST",
                    "/v1/segment/batch",
                    ["Content-Type": form.contentType, "X-Request-ID": "batch-2"],
                    body: form.bytes
                )
                #expect(reply.status == status)
                #expect(reply.headers["content-type"] == "application/problem+json")
                let failure = try reply.json(BatchFailure.Document.self)
                #expect((failure.status, failure.requestId, failure.type) == (status, "batch-2", "about:blank"))
                if !detail.isEmpty { #expect(failure.detail == detail) }
                #expect(failure.results.map(\.status) == each)
                #expect(failure.results.map { $0.error?.status } == each)
                #expect(failure.results.map(\.file) == files.indices.map { "\($0).png" })
                #expect(failure.results.allSatisfy { $0.result == nil })
            }
        }
    }

    @Test("a batch that fails for several reasons is 503 if one of them passes by itself, 422 if none does")
    func batchStatus() throws {
        func status(_ problems: [Problem], of count: Int? = nil) -> Int? {
            BatchFailure(problems, of: count ?? problems.count)?.problem.status.code
        }
        let (text, empty) = (Problem(.unsupportedMediaType, "Text."), Problem(.badRequest, "Empty."))
        let busy = [2, 7].map { Problem.unavailable("Full.", retryAfter: $0) }
        #expect(status([text, text]) == 415)
        #expect(status([text, empty]) == 422)
        #expect(status([InferencePool.late, InferencePool.late]) == 504)
        #expect(status([text, InferencePool.late]) == 503)
        #expect(status([text, text], of: 3) == nil)
        #expect(status([], of: 1) == nil)
        #expect(BatchFailure([text, busy[0], busy[1]], of: 3)?.problem.headers[.retryAfter] == "7")
        #expect(BatchFailure([text, InferencePool.late], of: 2)?.problem.headers[.retryAfter] == "1")
        #expect(BatchFailure([busy[0]], of: 1)?.problem == busy[0])
    }
}
