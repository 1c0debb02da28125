internal import HTTPTypes
internal import Hummingbird
internal import HummingbirdCore
internal import Logging
internal import NIOCore
internal import NIOHTTPTypes
internal import SegNetToolkit
public import ServiceLifecycle
internal import UnixSignals

/// The whole service as one thing to run.
public struct ServiceApplication: Service {
    private let service: ServiceState
    private let application: Application<RouterResponder<ServiceContext>>
    let routes: RouteTable
    /// The folder of videos, nil if none are accepted; for tests.
    var videoFolder: URL? { service.videos.folder }

    /// Builds the application from its configuration.
    /// - Parameter onRunning: Called once connections are accepted, with the port and the memory that the service will need.
    /// - Throws: `ServiceError` if files of the program are missing.
    public init(
        _ configuration: ServiceConfiguration,
        catalog: ModelCatalog,
        samples: SamplePictures,
        onRunning: @escaping @Sendable (_ port: Int, _ memory: MemoryForecast) async -> Void = { _, _ in }
    ) throws(ServiceError) {
        let service = try ServiceState(configuration, catalog: catalog, samples: samples)
        let routes = RouteTable()
        let router = Self.router(service, routes)
        routes.fill(from: router)
        let limits = configuration.limits
        let refused: @Sendable (String, HTTPResponse.Status) -> Void = { id, status in
            service.metrics.refusedInput(status: status.code)
            configuration.logger.info("not a request", metadata: ["request.id": "\(id)", "status": "\(status.code)"])
        }
        self.service = service
        self.routes = routes
        let memory = MemoryForecast(configuration, catalog)
        let room = min(limits.connections, Descriptors.forConnections)
        if room < limits.connections {
            configuration.logger.warning(
                "there are file descriptors for only \(room) connections; raise the limit (ulimit -n)",
                metadata: ["limit": "\(limits.connections)"]
            )
        }
        application = Application(
            router: router,
            server: .http1(
                configuration: HTTP1Channel.Configuration(
                    additionalChannelHandlers: [ConnectionGuard(limits, refused: refused)],
                    idleTimeout: limits.idleTime.timeAmount,
                    httpDecoderConfiguration: HTTP1Channel.Configuration.DecoderConfiguration(
                        maxHeaderFieldSize: ConnectionGuard.longestField,
                        maxHeaderListSize: 64 << 10,
                        maxHeaderFieldCount: 100
                    )
                )
            ),
            configuration: ApplicationConfiguration(
                address: .hostname(configuration.host, port: configuration.port),
                serverName: nil,
                availableConnectionsDelegate: ConnectionRoom(limit: room, logger: configuration.logger)
            ),
            onServerRunning: { await onRunning($0.localAddress?.port ?? configuration.port, memory) },
            logger: configuration.logger
        )
    }

    private static func router(_ service: ServiceState, _ routes: RouteTable) -> Router<ServiceContext> {
        let router = Router(context: ServiceContext.self, options: .autoGenerateHeadEndpoints)
        router.add(middleware: RequestIDMiddleware())
        router.add(middleware: ObservationMiddleware(metrics: service.metrics))
        router.add(middleware: SecurityHeadersMiddleware())
        if !service.configuration.corsOrigins.isEmpty {
            router.add(middleware: CrossOriginMiddleware(origins: service.configuration.corsOrigins))
        }
        router.add(middleware: ProblemMiddleware(routes: routes))

        router.add(middleware: RequestRulesMiddleware())

        StaticEndpoints(service: service).register(on: router)
        InformationEndpoints(service: service).register(on: router)
        HealthEndpoints(service: service).register(on: router)

        let segment = router.group("/v1/segment")
        if let token = service.configuration.token { segment.add(middleware: BearerTokenMiddleware(token: token)) }
        let upload = UploadReader(service: service)
        segment.post { request, context in try await SegmentEndpoint(upload: upload).respond(request, context) }
        segment.post("batch") { request, context in try await BatchEndpoint(upload: upload).respond(request, context) }
        VideoEndpoints(service: service).register(on: router)
        return router
    }

    /// Runs until graceful shutdown: first `/readyz` says no, after the delay the port is closed, what was accepted is answered, then
    /// the workers end.
    /// - Throws: `ServiceError` if the port cannot be had.
    public func run() async throws {
        // Shut down from the last to the first.
        let services: [any Service] = [application, ReadinessService(service: service)]
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(services: services, logger: service.configuration.logger)
        )
        do {
            try await group.run()
        } catch {
            await service.stop()
            let (host, port) = (service.configuration.host, service.configuration.port)
            throw ServiceError(binding: error, host: host, port: port) ?? error
        }
        await service.stop()
    }

    /// Tells load balancers that the service goes away, and gives them time to notice.
    private struct ReadinessService: Service {
        let service: ServiceState

        func run() async throws {
            try await withGracefulShutdownHandler {
                try await gracefulShutdown()
                try? await Task.sleep(for: service.configuration.shutdownDelay)
                service.pool.refuse()
            } onGracefulShutdown: {
                service.becomeUnready()
            }
        }
    }
}
