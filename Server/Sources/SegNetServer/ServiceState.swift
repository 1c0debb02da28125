internal import Synchronization

/// The state that all endpoints share.
final class ServiceState: Sendable {
    let configuration: ServiceConfiguration
    let catalog: ModelCatalog
    let files: ServerFiles
    let samples: SamplePictures
    let metrics: ServiceMetrics
    /// The bytes of request bodies.
    let budget: ByteBudget
    /// The bytes of answers, held until the client has taken them.
    let answers: ByteBudget
    /// The bytes of pictures that are worked on.
    let memory: WorkMemory
    let pool: InferencePool
    let videos: VideoService
    private let ready = Mutex(true)

    /// - Throws: `ServiceError` if files of the program are missing.
    init(_ configuration: ServiceConfiguration, catalog: ModelCatalog, samples: SamplePictures) throws(ServiceError) {
        self.configuration = configuration
        self.catalog = catalog
        self.samples = samples
        files = try ServerFiles(page: configuration.page)
        metrics = ServiceMetrics()
        budget = ByteBudget(limit: max(configuration.limits.heldBytes, configuration.limits.bytes))
        answers = ByteBudget(limit: configuration.limits.heldAnswerBytes)
        memory = WorkMemory(metrics: metrics, available: configuration.availableMemory)
        pool = InferencePool(
            workers: configuration.workerCount,
            limit: configuration.limits.queue,
            deadline: configuration.limits.deadline,
            metrics: metrics
        )
        videos = VideoService(configuration, pool: pool)
    }

    /// Ends the threads, and the work between requests.
    func stop() async {
        await videos.stop()
        await pool.stop()
    }

    /// Whether load balancers should send requests here.
    var isReady: Bool { ready.withLock { $0 } }

    /// From now on `/readyz` answers 503; requests are still accepted until the server closes.
    func becomeUnready() { ready.withLock { $0 = false } }
}
