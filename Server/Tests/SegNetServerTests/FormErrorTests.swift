import SegNetToolkit
import Testing

@testable import SegNetServer

/// What is wrong with a form or a batch is said with what was found, what is needed and what to do.
@Suite("Errors of forms")
struct FormErrorTests {
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
            // Even the mask, which a single picture is answered with by default.
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
