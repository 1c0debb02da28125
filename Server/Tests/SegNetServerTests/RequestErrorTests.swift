import Foundation
import SegNetToolkit
import Testing

@testable import SegNetServer

/// Errors say what is wrong with a request: what was found, what is needed and what to do.
@Suite("Errors of requests")
struct RequestErrorTests {
    @Test(
        "a wrong parameter is named with what it can be",
        arguments: [
            (
                "output=maks",
                "The parameter 'output' is 'maks'; it has to be one of mask, color, overlay, cutout, confidence, uncertainty, probabilities, polygons, json."
            ),
            (
                "include=mask,json",
                "The parameter 'include' is 'json'; it has to be one of mask, color, overlay, cutout, confidence, uncertainty."
            ),
            (
                "include=",
                "The parameter 'include' is ''; it has to be one of mask, color, overlay, cutout, confidence, uncertainty."
            ),
            (
                "size=480",
                "The parameter 'size' is '480'; it has to be 'model', 'native' or a width and height such as 480x360."
            ),
            (
                "edges=round",
                "The parameter 'edges' is 'round'; it has to be one of nearest, smooth."
            ),
            (
                "size=0x5",
                "The parameter 'size' is '0x5'; it has to be 'model', 'native' or a width and height such as 480x360."
            ),
            (
                "size=99999999999999999999x5",
                "The parameter 'size' is '99999999999999999999x5'; it has to be 'model', 'native' or a width and height such as 480x360."
            ),
            ("samples=0", "The parameter 'samples' is '0'; it has to be a whole number in 1...100."),
            ("samples=101", "The parameter 'samples' is '101'; it has to be a whole number in 1...100."),
            ("samples=%2B5", "The parameter 'samples' is '+5'; it has to be a whole number in 1...100."),
            ("samples=05", "The parameter 'samples' is '05'; it has to be a whole number in 1...100."),
            (
                "size=%2B64x48",
                "The parameter 'size' is '+64x48'; it has to be 'model', 'native' or a width and height such as 480x360."
            ),
            (
                "size=064x48",
                "The parameter 'size' is '064x48'; it has to be 'model', 'native' or a width and height such as 480x360."
            ),
            ("refine=snakes", "The parameter 'refine' is 'snakes'; it has to be one of none, crf."),
            (
                "model=bayesian&samples=2&refine=crf",
                "Samples are not refined: their spread would say nothing. Leave 'samples' or 'refine' out."
            ),
            ("seed=-0", "The parameter 'seed' is '-0'; it has to be a whole number of 64 bits."),
            (
                "seed=18446744073709551616",
                "The parameter 'seed' is '18446744073709551616'; it has to be a whole number of 64 bits."
            ),
            ("seed=x", "The parameter 'seed' is 'x'; it has to be a whole number of 64 bits."),
            (
                "sampels=2",
                "There is no parameter 'sampels'. Did you mean 'samples'? There are model, output, classes, format, tolerance, size, edges, samples, seed, refine, include."
            ),
            ("size=model&size=model", "The parameter 'size' is given twice. Give it once."),
            ("output=%zz", "The query has a '%' that is not followed by two hexadecimal digits. Write '%25' for '%'."),
            ("output=%ff", "The query is not UTF-8. Escape its letters as UTF-8."),
            (
                "samples=2",
                "The model 'plain' has no dropout to sample, so it has no uncertainty. Leave 'samples' and 'uncertainty' out, or choose a model "
                    + "whose 'canSample' is true in /v1/models."
            ),
            (
                "model=bayesian&output=uncertainty",
                "Uncertainty is how much samples differ: ask for at least 2, such as samples=20."
            ),
        ]
    )
    func parameters(query: String, detail: String) async throws {
        let reply = try await LiveServer.run { try await $0.segment(try TestModels.png(), query) }
        #expect(reply.status == 400)
        #expect(reply.headers["content-type"] == "application/problem+json")
        #expect(reply.detail == detail)
    }

    @Test("an unknown model is answered with those that are there")
    func model() async throws {
        let reply = try await LiveServer.run { try await $0.segment(try TestModels.png(), "model=plai") }
        #expect(reply.status == 404)
        #expect(reply.detail == "There is no model 'plai'. Did you mean 'plain'? This service has plain, bayesian.")
    }

    @Test("what is not a picture is told by what it begins with")
    func noPicture() async throws {
        try await LiveServer.run { server in
            let text = try await server.segment(Array("hello, world".utf8))
            #expect(text.status == 415)
            #expect(text.detail == "'picture' is not a PNG or JPEG: it begins with 'hello'. Send a PNG or JPEG photo.")
            let gif = try await server.segment(Array("GIF89a\u{1}\u{2}".utf8))
            #expect(gif.detail == "'picture' is not a PNG or JPEG: it begins with 'GIF89'. Send a PNG or JPEG photo.")
            let binary = try await server.segment([0, 1, 2, 3, 4])
            #expect(
                binary.detail
                    == "'picture' is not a PNG or JPEG: it is something that begins with the bytes 00 01 02 03. Send a PNG or JPEG photo."
            )
            let empty = try await server.segment([])
            #expect(empty.status == 400)
            #expect(empty.detail == "'picture' is empty. Send a PNG or JPEG photo.")
        }
    }

    @Test("a damaged picture is said to be damaged, and the next one is segmented")
    func damaged() async throws {
        try await LiveServer.run { server in
            let png = try TestModels.png()
            let cut = try await server.segment(Array(png.dropLast(30)))
            #expect(cut.status == 400)
            #expect(cut.detail.hasPrefix("'picture' is a damaged or incomplete PNG ("))
            #expect(cut.detail.hasSuffix("). Export and send it again."))
            #expect(try await server.segment(png).status == 200)
        }
    }

    @Test("a huge picture is refused by its header")
    func hugeHeader() async throws {
        try await LiveServer.run({ $0.limits.pixels = 1_000_000 }) { server in
            let reply = try await server.segment(try TestModels.header(width: 60_000, height: 60_000))
            #expect(reply.status == 413)
            #expect(
                reply.detail
                    == "'picture' has 3600 megapixels (60000x60000); the service takes up to 1. Send a smaller picture."
            )
        }
    }

    @Test("a network is not run at a huge size", arguments: ["size=native", "size=200x100"])
    func hugeRun(query: String) async throws {
        try await LiveServer.run({ $0.limits.runPixels = 10_000 }) { server in
            let reply = try await server.segment(try TestModels.png(width: 200, height: 100), query)
            #expect(reply.status == 413)
            #expect(
                reply.detail
                    == "The network would run on 200x100 pixels; the service's limit is 10000. Use size=model, or a smaller WxH."
            )
            #expect(try await server.segment(try TestModels.png(width: 200, height: 100)).status == 200)
        }
    }

    @Test("no huge picture is refined")
    func hugeRefinement() async throws {
        try await LiveServer.run({ $0.limits.runPixels = 10_000 }) { server in
            let picture = try TestModels.png(width: 200, height: 100)
            let reply = try await server.segment(picture, "refine=crf")
            #expect(reply.status == 413)
            #expect(
                reply.detail
                    == "The refinement would be of 200x100 pixels; the service's limit is 10000. Send a smaller picture, or leave 'refine' out."
            )
            #expect(try await server.segment(picture, "refine=none").status == 200)
            #expect(try await server.segment(try TestModels.png(width: 100, height: 100), "refine=crf").status == 200)
        }
    }

    @Test("a body that says it is too long is refused before it is sent")
    func tooLong() async throws {
        try await LiveServer.run({ $0.limits.bytes = 1000 }) { server in
            let connection = try server.connect()
            try await connection.send("POST /v1/segment HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\n\r\n")
            let reply = try await connection.receive()
            #expect(reply.status == 413)
            #expect(reply.detail == "The request's body has 1001 bytes; the limit is 1000. Send a smaller picture.")
            #expect(reply.headers["connection"] == "close")
            let huge = try server.connect()
            try await huge.send("POST /v1/segment HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999\r\n\r\n")
            #expect(try await huge.receive().status == 413)
        }
    }

    @Test("a chunked body is refused as soon as it is too long")
    func tooLongChunked() async throws {
        try await LiveServer.run({ $0.limits.bytes = 1000 }) { server in
            let connection = try server.connect()
            try await connection.send("POST /v1/segment HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
            // It does not end: the answer comes all the same.
            try await connection.send("400\r\n" + String(repeating: "a", count: 1024) + "\r\n")
            let reply = try await connection.receive()
            #expect(reply.status == 413)
            #expect(
                reply.detail
                    == "The request's body has more bytes than allowed; the limit is 1000. Send a smaller picture."
            )
        }
    }

    @Test("a request without a body is asked for its length")
    func noLength() async throws {
        let reply = try await LiveServer.run { try await $0.request("POST", "/v1/segment") }
        #expect(reply.status == 411)
        #expect(reply.detail == "The request has no body. Send the picture with its Content-Length, or chunked.")
    }

    @Test("when all bodies together are too much, the next is put off")
    func budget() async throws {
        try await LiveServer.run({
            $0.limits.bytes = 1000
            $0.limits.heldBytes = 1000
        }) { server in
            let first = try server.connect()
            try await first.send("POST /v1/segment HTTP/1.1\r\nHost: a\r\nContent-Length: 900\r\n\r\n")
            try await first.send([UInt8](repeating: 65, count: 800))
            try await eventually("800 bytes held") {
                try await server.request("GET", "/metrics").text.contains("segnet_held_body_bytes 800")
            }
            let second = try await server.segment([UInt8](repeating: 65, count: 300))
            #expect(second.status == 503)
            #expect(second.headers["retry-after"] == "1")
            #expect(second.detail == "The service is receiving as much as it can hold. Try again in a moment.")
            try await first.send([UInt8](repeating: 65, count: 100))
            #expect(try await first.receive().status == 415)
            #expect(try await server.segment([UInt8](repeating: 65, count: 300)).status == 415)
        }
    }

    @Test(
        "a wrong form is told what is wrong with it",
        arguments: [
            ("multipart/form-data", "--a--\r\n", "its Content-Type has no boundary of 1 to 70 characters"),
            ("multipart/form-data; boundary=a", "", "its boundary 'a' does not occur in it"),
            (
                "multipart/form-data; boundary=a", "--a\r\nContent-Disposition: form-data; name=\"image\"\r\n\r\nxyz",
                "its last part has no end; was it sent whole?"
            ),
            ("multipart/form-data; boundary=a", "--a\r\n\r\nxyz\r\n--a--", "a part has no Content-Disposition"),
            (
                "multipart/form-data; boundary=a", "--a\r\nContent-Disposition: form-data\r\n\r\nxyz\r\n--a--",
                "a part's Content-Disposition is not 'form-data' with a name"
            ),
            (
                "multipart/form-data; boundary=a", "--a\r\nContent-Disposition: form-data; name=\"image\"\r\n--a--",
                "a part's header has no end"
            ),
            ("multipart/form-data; boundary=a", "--axyz\r\n--a--", "text follows a boundary"),
            (
                "multipart/form-data; boundary=a",
                "--a\r\nContent-Disposition: form-data; name=size\r\n\r\nmodel\r\n--a\r\nContent-Disposition: form-data; name=size\r\n\r\nmodel\r\n--a--",
                "its part 'size' is given twice"
            ),
        ]
    )
    func form(contentType: String, body: String, reason: String) async throws {
        let reply = try await LiveServer.run {
            try await $0.segment(Array(body.utf8), "", ["Content-Type": contentType])
        }
        #expect(reply.status == 400)
        #expect(
            reply.detail
                == "The form cannot be read: \(reason). Send multipart/form-data with a file part named 'image'."
        )
    }

    @Test("a form has one picture, a batch at least one, and not too many")
    func pictureCount() async throws {
        var none = TestForm()
        none.add("size", Array("model".utf8))
        var three = TestForm()
        for _ in 0..<3 { three.add("image", fileName: "a.png", try TestModels.png()) }
        try await LiveServer.run({ $0.limits.batch = 2 }) { [none, three] server in
            let without = try await server.segment(none.bytes, "", ["Content-Type": none.contentType])
            #expect(without.status == 400)
            #expect(
                without.detail
                    == "The form has 0 parts named 'image'; one is needed here. /v1/segment/batch takes several."
            )
            let several = try await server.segment(three.bytes, "", ["Content-Type": three.contentType])
            #expect(
                several.detail
                    == "The form has 3 parts named 'image'; one is needed here. /v1/segment/batch takes several."
            )
            let batch = try await server.request(
                "POST",
                "/v1/segment/batch",
                ["Content-Type": three.contentType],
                body: three.bytes
            )
            #expect(batch.status == 400)
            #expect(batch.detail == "The form has 3 parts named 'image'; a batch has 1 to 2.")
        }
    }

    @Test("a part that no form has is named: it would be a parameter that is passed over", arguments: ["", "/batch"])
    func unknownPart(path: String) async throws {
        try await LiveServer.run { server in
            for (name, hint) in [("sampels", " Did you mean 'samples'?"), ("file", "")] {
                var form = TestForm()
                form.add("image", fileName: "a.png", try TestModels.png())
                form.add(name, [UInt8](repeating: 50, count: name == "file" ? 3000 : 1))
                let reply = try await server.request(
                    "POST",
                    "/v1/segment" + path,
                    ["Content-Type": form.contentType],
                    body: form.bytes
                )
                #expect(reply.status == 400)
                #expect(
                    reply.detail
                        == "A form has no part '\(name)'.\(hint) The picture comes as 'image'; texts are model, output, classes, format, tolerance, size, edges, samples, seed, refine, include."
                )
            }
        }
    }

    @Test("a batch wants a form, and answers in JSON only")
    func batchKind() async throws {
        try await LiveServer.run { server in
            let raw = try await server.request("POST", "/v1/segment/batch", body: try TestModels.png())
            #expect(raw.status == 415)
            #expect(
                raw.detail
                    == "A batch comes as multipart/form-data with several parts named 'image'. /v1/segment takes one picture as it is."
            )
            var form = TestForm()
            form.add("image", fileName: "a.png", try TestModels.png())
            // The mask, too, which one picture is answered with by default.
            for output in ["color", "mask"] {
                let other = try await server.request(
                    "POST",
                    "/v1/segment/batch?output=\(output)",
                    ["Content-Type": form.contentType],
                    body: form.bytes
                )
                #expect(other.status == 400)
                #expect(
                    other.detail
                        == "A batch is answered in JSON. Leave 'output' out, and name the pictures that you want in 'include'."
                )
            }
            let mixed = try await server.segment(
                form.bytes,
                "",
                ["Content-Type": "multipart/mixed; boundary=\(form.boundary)"]
            )
            #expect(mixed.status == 415)
            #expect(
                mixed.detail
                    == "The body is multipart/mixed. Send a PNG or JPEG photo as it is, or multipart/form-data."
            )
        }
    }

    @Test("an unknown path is 404, another method 405 with what is allowed")
    func paths() async throws {
        try await LiveServer.run { server in
            let unknown = try await server.request("GET", "/v2/\u{7f}nothing")
            #expect(unknown.status == 400 || unknown.status == 404)
            let missing = try await server.request("GET", "/v1/segments")
            #expect(missing.status == 404)
            #expect(missing.detail == "There is nothing at '/v1/segments'. /openapi.json lists what there is.")
            let get = try await server.request("GET", "/v1/segment")
            #expect(get.status == 405)
            #expect(get.headers["allow"] == "POST")
            #expect(get.detail == "'/v1/segment' does not answer to GET. Use POST.")
            let post = try await server.request("POST", "/assets/app.js", body: [])
            #expect(post.status == 405)
            #expect(post.headers["allow"] == "GET, HEAD")
            let options = try await server.request("OPTIONS", "/v1/models")
            #expect(options.status == 405)
        }
    }

    @Test(
        "no path leads out of the page's folder",
        arguments: [
            "/assets/../index.html", "/assets/..%2f..%2fopenapi.json", "/samples/..%2f..%2fetc%2fpasswd", "/samples/.",
            "//etc/passwd", "/assets//etc/passwd",
        ]
    )
    func traversal(path: String) async throws {
        let reply = try await LiveServer.run { try await $0.request("GET", path) }
        #expect(reply.status == 404)
    }

    @Test(
        "what the service does not do is said with the status for it",
        arguments: [
            (
                ["Expect": "a-miracle"], 417,
                "The service cannot fulfil 'Expect: a-miracle'. Leave it out, or send 100-continue."
            ),
            (
                ["Content-Encoding": "gzip"], 415,
                "The body is encoded as 'gzip'. Send the picture as it is, without Content-Encoding."
            ),
        ]
    )
    func rules(headers: [String: String], status: Int, detail: String) async throws {
        try await LiveServer.run { server in
            let reply = try await server.segment(try TestModels.png(), "", headers)
            #expect(reply.status == status)
            #expect(reply.detail == detail)
            let identity = try await server.segment(try TestModels.png(), "", ["Content-Encoding": "identity"])
            #expect(identity.status == 200)
        }
    }

    @Test("an address has a longest length")
    func longAddress() async throws {
        try await LiveServer.run { server in
            let reply = try await server.request("GET", "/healthz?" + String(repeating: "a", count: 9000))
            #expect(reply.status == 414)
            #expect(reply.headers["x-request-id"] != nil)
        }
    }

    @Test("a form that contradicts the query is refused")
    func contradiction() async throws {
        try await LiveServer.run { server in
            var form = TestForm()
            form.add("image", fileName: "a.png", try TestModels.png())
            form.add("samples", Array("2".utf8))
            let headers = ["Content-Type": form.contentType]
            let reply = try await server.request(
                "POST",
                "/v1/segment?samples=3&model=bayesian",
                headers,
                body: form.bytes
            )
            #expect(reply.status == 400)
            #expect(reply.detail == "The parameter 'samples' is '3' in the query and '2' in the form. Give it once.")
        }
    }
}
