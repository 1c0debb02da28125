internal import HTTPTypes
internal import Hummingbird
internal import HummingbirdCore
internal import NIOCore

/// Why a request cannot be answered, for the client: RFC 9457's "problem details".
struct Problem: Error, Hashable {
    var status: HTTPResponse.Status
    /// One or two sentences: what was found, what is needed, what to do.
    var detail: String
    var headers: HTTPFields = [:]

    init(_ status: HTTPResponse.Status, _ detail: String, headers: HTTPFields = [:]) {
        self.status = status
        self.detail = detail
        self.headers = headers
    }

    /// The fields of its JSON.
    struct Document: Codable, Hashable {
        var type = "about:blank"
        var title: String
        var status: Int
        var detail: String
        var requestId: String
    }

    func document(requestID: String) -> Document {
        Document(title: status.reasonPhrase, status: status.code, detail: detail, requestId: requestID)
    }

    func response(requestID: String) -> Response { response(document(requestID: requestID)) }

    /// - Parameter document: `document(requestID:)`, or one with more fields.
    func response(_ document: some Encodable) -> Response {
        var response = Response(
            status: status,
            headers: [.contentType: "application/problem+json"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: JSON.bytes(document)))
        )
        response.headers.append(contentsOf: headers)
        return response
    }
}

extension Problem {
    /// The service has no room for more work now.
    static func unavailable(_ detail: String, retryAfter seconds: Int) -> Problem {
        Problem(.serviceUnavailable, detail, headers: [.retryAfter: "\(max(1, seconds))"])
    }

    static func notFound(_ path: String) -> Problem {
        Problem(.notFound, "There is nothing at '\(path.shortened)'. /openapi.json lists what there is.")
    }

    static func methodNotAllowed(_ method: HTTPRequest.Method, _ path: String, allowed: [HTTPRequest.Method]) -> Problem
    {
        let list = allowed.map(\.rawValue).joined(separator: ", ")
        return Problem(
            .methodNotAllowed,
            "'\(path.shortened)' does not accept \(method.rawValue.shortened). Use \(list).",
            headers: [.allow: list]
        )
    }
}

extension StringProtocol {
    /// For messages that repeat what a client sent: at most 80 characters and 240 bytes, because one character can be of
    /// any length, with control characters shown as '?' and "…" for what is left out.
    var shortened: String {
        var shown = ""
        var count = 0
        for character in self {
            let next: Character = character.isPrintable ? character : "?"
            guard count < 80, shown.utf8.count + next.utf8.count <= 240 else { return shown + "…" }
            shown.append(next)
            count += 1
        }
        return shown
    }
}

extension Character {
    fileprivate var isPrintable: Bool {
        unicodeScalars.allSatisfy { $0.value >= 0x20 && !(0x7F...0x9F).contains($0.value) }
    }
}
