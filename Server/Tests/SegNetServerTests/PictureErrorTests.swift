import SegNetToolkit
import Testing

@testable import SegNetServer

/// What is wrong with a picture is said with what was found, what is needed and what to do.
@Suite("Errors of pictures")
struct PictureErrorTests {
    @Test("what is no picture is told by what it begins with")
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
                    == "'picture' is not a PNG or JPEG: it begins with the bytes 00 01 02 03. Send a PNG or JPEG photo."
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
}
