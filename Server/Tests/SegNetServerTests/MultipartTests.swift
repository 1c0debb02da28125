import HTTPTypes
import SegNetToolkit
import Testing

@testable import SegNetServer

@Suite("Forms")
struct MultipartTests {
    @Test("parts are cut out byte for byte, whatever they hold")
    func parts() throws {
        let content: [[UInt8]] = [
            [], [13], [13, 10], Array("\r\n--bound".utf8), Array("--boundary".utf8), Array(0...255),
            Array("\r\n\r\n".utf8), Array("\r\r\n\n".utf8),
        ]
        var body: [UInt8] = Array("preamble that nobody reads\r\n".utf8)
        for (index, bytes) in content.enumerated() {
            body +=
                Array(
                    "--boundaryX\r\ncontent-disposition:form-data;name=\"image\";filename=\"\(index).png\"\r\nX-Other: 1\r\n\r\n"
                        .utf8
                ) + bytes + [13, 10]
        }
        body += Array("--boundaryX--\r\nepilogue".utf8)
        let form = try MultipartForm(body, contentType: "Multipart/Form-Data; charset=utf-8; BOUNDARY=boundaryX")
        #expect(form.parts.map(\.bytes) == content)
        #expect(form.parts.map(\.fileName) == (0..<8).map { "\($0).png" })
    }

    @Test(
        "parameters of a header are read as they are written",
        arguments: [
            ("form-data; name=\"image\"; filename=\"a.jpg\"", "form-data", "image", "a.jpg"),
            ("FORM-DATA;NAME=image;FileName=a.jpg", "form-data", "image", "a.jpg"),
            ("form-data; name=\"a;b\"; filename=\"c=\\\"d\\\\\"", "form-data", "a;b", "c=\"d\\"),
            ("form-data ; name = \"x\" ; filename = \"\"", "form-data", "x", ""),
            ("form-data; other; name=x; filename=\"unfinished", "form-data", "x", "unfinished"),
        ]
    )
    func parameters(header: String, value: String, name: String, fileName: String) {
        let parameters = HeaderParameters(header)
        #expect(parameters.value == value)
        #expect(parameters["name"] == name)
        #expect(parameters["filename"] == fileName)
    }

    @Test("random and damaged forms are read or refused, never worse", arguments: 0..<8)
    func fuzz(seed: Int) throws {
        var random = RandomNumbers(seed: UInt64(seed), stream: 77)
        func below(_ limit: Int) -> Int { Int(random.next() % UInt64(limit)) }
        let words = [
            "--b", "\r\n", "--", "\r", "\n", "Content-Disposition: form-data", "; name=\"image\"", "; filename=\"",
            "\"", ";", "=", "\\", "\u{e4}", ":", " ",
        ]
        var form = TestForm()
        form.boundary = "b"
        form.add("image", fileName: "a.png", Array("some bytes".utf8))
        form.add("size", Array("model".utf8))
        var (read, refused) = (0, 0)
        for _ in 0..<3000 {
            var body = form.bytes
            var contentType = form.contentType
            switch below(4) {
            case 0: body = (0..<below(200)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            case 1: body = (0..<below(40)).flatMap { _ in Array(words[below(words.count)].utf8) }
            case 2:
                for _ in 0...below(4) {
                    let position = below(body.count)
                    switch below(3) {
                    case 0: body[position] = UInt8(truncatingIfNeeded: random.next())
                    case 1: body.remove(at: position)
                    default: body.insert(contentsOf: Array(words[below(words.count)].utf8), at: position)
                    }
                }
            default:
                body = Array(body.prefix(below(body.count + 1)))
                if below(2) == 0 { contentType = (0..<below(8)).map { _ in words[below(words.count)] }.joined() }
            }
            do throws(MultipartError) {
                let form = try MultipartForm(body, contentType: contentType)
                read += 1
                #expect(form.parts.reduce(0) { $0 + $1.bytes.count } <= body.count)
                _ = try form.texts(SegmentParameters.names)
            } catch {
                refused += 1
                #expect(error.description.hasPrefix("The form cannot be read: "))
            }
        }
        #expect(read > 50 && refused > 500, "\(read) read, \(refused) refused")
    }

    @Test("random bodies and queries over the wire are answered, and the service lives")
    func fuzzOverTheWire() async throws {
        try await LiveServer.run { server in
            var random = RandomNumbers(seed: 3, stream: 78)
            func below(_ limit: Int) -> Int { Int(random.next() % UInt64(limit)) }
            var form = TestForm()
            form.add("image", fileName: "a.png", try TestModels.png())
            let png = try TestModels.png()
            for _ in 0..<150 {
                let isForm = below(2) == 0
                var body = isForm ? form.bytes : png
                for _ in 0...below(5) { body[below(body.count)] = UInt8(truncatingIfNeeded: random.next()) }
                let headers = isForm ? ["Content-Type": form.contentType] : [:]
                let path = below(2) == 0 ? "/v1/segment" : "/v1/segment/batch"
                let reply = try await server.request("POST", path, headers, body: body)
                #expect([200, 400, 413, 415].contains(reply.status), "\(reply.status): \(reply.detail)")
            }
            #expect(try await server.segment(png).status == 200)
        }
    }
}
