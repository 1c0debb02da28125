import HTTPTypes
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
                "Samples are not refined: their spread would be meaningless. Leave 'samples' or 'refine' out."
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

    @Test(
        "and so is one of a video",
        arguments: [
            ("output=json", "The parameter 'output' is 'json'; it has to be one of overlay, color, mask, shares."),
            ("every=05", "The parameter 'every' is '05'; it has to be a whole number in 1...10000."),
            ("every=10001", "The parameter 'every' is '10001'; it has to be a whole number in 1...10000."),
            ("smooth=1e-1", "The parameter 'smooth' is '1e-1'; it has to be a number in 0...0.99 such as 0.6."),
            ("smooth=1", "The parameter 'smooth' is '1'; it has to be a number in 0...0.99 such as 0.6."),
            ("edges=round", "The parameter 'edges' is 'round'; it has to be one of nearest, smooth."),
            (
                "smoth=0.5",
                "There is no parameter 'smoth'. Did you mean 'smooth'? There are model, output, every, smooth, edges."
            ),
        ]
    )
    func videoParameters(query: String, detail: String) {
        #expect(throws: Problem(.badRequest, detail)) { try VideoParameters(QueryParameters(query)) }
    }

    @Test("an unknown model is answered with those that are there")
    func model() async throws {
        let reply = try await LiveServer.run { try await $0.segment(try TestModels.png(), "model=plai") }
        #expect(reply.status == 404)
        #expect(reply.detail == "There is no model 'plai'. Did you mean 'plain'? This service has plain, bayesian.")
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
            #expect(get.detail == "'/v1/segment' does not accept GET. Use POST.")
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
}
