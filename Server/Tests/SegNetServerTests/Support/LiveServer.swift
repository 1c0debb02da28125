import Dispatch
import Foundation
import Logging
import SegNetToolkit
import ServiceLifecycle
import Synchronization
import Testing

@testable import SegNetServer

/// The service on a port of its own, for one test.
struct LiveServer: Sendable {
    let port: Int
    let application: ServiceApplication
    fileprivate let group: ServiceGroup

    /// Starts a service, runs the body, stops the service and waits for its end.
    static func run<Value: Sendable>(
        catalog: ModelCatalog? = nil,
        _ change: (inout ServiceConfiguration) -> Void = { _ in },
        body: (LiveServer) async throws -> Value
    ) async throws -> Value {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        var configuration = ServiceConfiguration(threads: 1, workers: 2)
        configuration.port = 0
        configuration.shutdownDelay = .zero
        configuration.page = TestFiles.page
        configuration.logger = logger
        // A machine that does much else is slow, not wrong: tests that are about times set their own.
        configuration.limits.deadline = .seconds(600)
        configuration.limits.receiveTime = .seconds(600)
        configuration.limits.idleTime = .seconds(600)
        configuration.limits.sendTime = .seconds(600)
        configuration.videos.patience = .seconds(600)
        change(&configuration)
        let (ports, continuation) = AsyncStream.makeStream(of: Int.self)
        let application = try ServiceApplication(
            configuration,
            catalog: try catalog ?? TestModels.catalog(),
            samples: try SamplePictures(
                page: configuration.page,
                models: [TestFiles.repository.appending(path: "Models")]
            )
        ) { port, _ in continuation.yield(port) }
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: [ServiceGroupConfiguration.ServiceConfiguration(service: application)],
                logger: configuration.logger
            )
        )
        return try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                defer { continuation.finish() }
                try await group.run()
            }
            guard let port = await ports.first(where: { _ in true }) else {
                try await tasks.waitForAll()
                throw RawConnection.Failure(description: "the server ended at once")
            }
            let result: Result<Value, any Error>
            do {
                result = .success(try await body(LiveServer(port: port, application: application, group: group)))
            } catch {
                result = .failure(error)
            }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
            return try result.get()
        }
    }

    /// Asks the service to stop, and returns at once.
    func beginShutdown() async { await group.triggerGracefulShutdown() }

    func connect() throws -> RawConnection { try RawConnection(port: port) }

    /// One request on a connection of its own.
    func request(
        _ method: String,
        _ path: String,
        _ headers: [String: String] = [:],
        body: [UInt8]? = nil
    ) async throws -> Reply {
        let connection = try connect()
        try await connection.send(Self.bytes(method, path, headers, body: body))
        return try await connection.receive(toHead: method == "HEAD")
    }

    func segment(_ picture: [UInt8], _ query: String = "", _ headers: [String: String] = [:]) async throws -> Reply {
        try await request("POST", "/v1/segment" + (query.isEmpty ? "" : "?" + query), headers, body: picture)
    }

    /// A request as it goes over the wire.
    static func bytes(_ method: String, _ path: String, _ headers: [String: String] = [:], body: [UInt8]? = nil)
        -> [UInt8]
    {
        var head = "\(method) \(path) HTTP/1.1\r\nHost: test\r\n"
        for (name, value) in headers { head += "\(name): \(value)\r\n" }
        if let body { head += "Content-Length: \(body.count)\r\n" }
        return Array((head + "\r\n").utf8) + (body ?? [])
    }
}

/// Holds workers back until a test opens it.
final class Gate: Sendable {
    private let semaphore = DispatchSemaphore(value: 0)
    private let entered = Mutex(0)
    private let open = Mutex(false)

    /// Called by workers.
    func wait() {
        entered.withLock { $0 += 1 }
        if open.withLock({ $0 }) { return }
        semaphore.wait()
    }

    /// Lets all through, now and later.
    func release() {
        open.withLock { $0 = true }
        for _ in 0..<1000 { semaphore.signal() }
    }

    /// Waits until so many workers stand at the gate or have passed it.
    func waitForWorkers(_ count: Int) async throws {
        try await eventually("\(count) workers at the gate") { self.entered.withLock { $0 } >= count }
    }
}

/// Waits until something is so, at most two minutes: machines can be busy.
func eventually(_ what: String, _ condition: () async throws -> Bool) async throws {
    let end = ContinuousClock.now + .seconds(120)
    while try await !condition() {
        guard ContinuousClock.now < end else { throw RawConnection.Failure(description: "never happened: \(what)") }
        try await Task.sleep(for: .milliseconds(20))
    }
}

enum TestFiles {
    static let repository = URL(filePath: #filePath).appending(path: "../../../../..").standardizedFileURL
    /// The page as it stands in the source tree.
    static let page = repository.appending(path: "Server/Sources/SegNetServer/Page")
}
