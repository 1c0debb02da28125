import Dispatch
import Foundation

/// A plain TCP client that can also misbehave: it sends what it is told, byte for byte, and reads answers.
///
/// Its calls block a thread of their own, never one of the few that the server in the same process runs on.
final class RawConnection: @unchecked Sendable {
    private let socket: Int32
    private var buffer: [UInt8] = []
    private let queue = DispatchQueue(label: "client")

    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    init(port: Int) throws {
        #if os(Linux)
            socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        #else
            socket = Darwin.socket(AF_INET, SOCK_STREAM, 0)
        #endif
        // Busy machines can be slow.
        var wait = timeval(tv_sec: 120, tv_usec: 0)
        setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &wait, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &wait, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(UInt16(port)).bigEndian
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else {
            throw Failure(description: "cannot connect to port \(port): \(String(cString: strerror(errno)))")
        }
    }

    deinit { close(socket) }

    private func onThread<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            queue.async { continuation.resume(with: Result { try body() }) }
        }
    }

    func send(_ text: String) async throws { try await send(Array(text.utf8)) }

    /// - Throws: If the server has closed.
    func send(_ bytes: [UInt8]) async throws {
        try await onThread { [self] in
            var sent = 0
            while sent < bytes.count {
                #if os(Linux)
                    let flags = Int32(MSG_NOSIGNAL)
                #else
                    let flags: Int32 = 0
                #endif
                let count = bytes[sent...].withUnsafeBytes { Foundation.send(socket, $0.baseAddress, $0.count, flags) }
                guard count > 0 else { throw Failure(description: "send: \(String(cString: strerror(errno)))") }
                sent += count
            }
        }
    }

    /// Says that nothing more will come, but goes on listening.
    func finishSending() { shutdown(socket, Int32(SHUT_WR)) }

    /// Closes with a reset, as a program that is killed does.
    func reset() {
        var option = linger(l_onoff: 1, l_linger: 0)
        setsockopt(socket, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
        shutdown(socket, Int32(SHUT_RDWR))
    }

    /// The next answer, whole.
    /// - Parameters:
    ///   - toHead: Whether it answers a HEAD request, so that it has no body.
    ///   - skipsInformation: Whether to pass over the words that ask whether the client still listens.
    func receive(toHead: Bool = false, skipsInformation: Bool = true) async throws -> Reply {
        while true {
            if let reply = try await receiveNext(toHead: toHead, skipsInformation) { return reply }
        }
    }

    /// nil: words that are no answer.
    private func receiveNext(toHead: Bool, _ skipsInformation: Bool) async throws -> Reply? {
        try await onThread { [self] () throws -> Reply? in
            let end = Array("\r\n\r\n".utf8)
            var headEnd: Int?
            while headEnd == nil {
                headEnd = find(end)
                if headEnd == nil, try !read() {
                    throw Failure(
                        description: "closed before an answer; got '\(String(decoding: buffer, as: UTF8.self))'"
                    )
                }
            }
            let lines = String(decoding: buffer[..<(headEnd ?? 0)], as: UTF8.self).components(separatedBy: "\r\n")
            buffer.removeFirst((headEnd ?? 0) + 4)
            var reply = Reply(
                status: Int(lines[0].split(separator: " ").dropFirst().first ?? "") ?? 0,
                headers: [:],
                body: []
            )
            for line in lines.dropFirst() {
                guard let colon = line.firstIndex(of: ":") else { continue }
                reply.headers[line[..<colon].lowercased()] = line[line.index(after: colon)...].trimmingCharacters(
                    in: .whitespaces
                )
            }
            // A client that has closed its side may be asked whether it still listens.
            if reply.status == 102, skipsInformation { return nil }
            if toHead || reply.status == 304 || reply.status == 204 || reply.status < 200 { return reply }
            if reply.headers["transfer-encoding"] != nil { throw Failure(description: "a chunked answer") }
            let length = Int(reply.headers["content-length"] ?? "") ?? 0
            while buffer.count < length {
                guard try read() else { throw Failure(description: "closed inside an answer") }
            }
            reply.body = Array(buffer[..<length])
            buffer.removeFirst(length)
            return reply
        }
    }

    /// Whether the server closes the connection without a further word.
    func isClosed() async throws -> Bool {
        try await onThread { [self] in
            while try read() {}
            return buffer.isEmpty
        }
    }

    private func find(_ pattern: [UInt8]) -> Int? {
        guard buffer.count >= pattern.count else { return nil }
        return (0...buffer.count - pattern.count).first {
            buffer[$0] == pattern[0] && buffer[$0..<$0 + pattern.count].elementsEqual(pattern)
        }
    }

    /// False at the end.
    private func read() throws -> Bool {
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        let count = recv(socket, &chunk, chunk.count, 0)
        if count < 0, errno == ECONNRESET { return false }
        guard count >= 0 else { throw Failure(description: "receive: \(String(cString: strerror(errno)))") }
        buffer += chunk[..<count]
        return count > 0
    }
}

/// An answer as it came over the wire; header names in small letters.
struct Reply: Sendable {
    var status: Int
    var headers: [String: String]
    var body: [UInt8]

    var text: String { String(decoding: body, as: UTF8.self) }

    func json<Value: Decodable>(_ type: Value.Type = Value.self) throws -> Value {
        try JSONDecoder().decode(Value.self, from: Data(body))
    }

    /// The words of a problem document.
    var detail: String { (try? json(ProblemText.self).detail) ?? "no problem document: \(text.prefix(200))" }

    private struct ProblemText: Decodable {
        var detail: String
    }
}
