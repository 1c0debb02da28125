public import Logging
public import SegNetToolkit

/// Everything that a service can be told. The command line and the environment fill it in; tests do it by hand.
public struct ServiceConfiguration: Sendable {
    /// Where it listens.
    public var host: String
    /// 0 lets the system choose one.
    public var port: Int

    /// Threads of one run of a network; nil: all cores that this process may use.
    public var threads: Int?
    /// Requests that are worked on at once, each on a thread of its own; nil: one more than networks that run at once, so that a
    /// picture is decoded or encoded while another is in the network.
    public var workers: Int?
    /// How networks run: see `Segmenter.Options`.
    public var accuracy: InferenceOptions.Accuracy
    /// How weights lie in memory.
    public var precision: InferenceOptions.Precision

    public var limits: Limits
    /// The token that clients of `/v1/segment` must send; nil: none.
    public var token: BearerToken?
    /// Origins whose pages may call the service, `*` for all; none: no cross-origin calls.
    public var corsOrigins: [String]
    /// How long the service keeps serving after it was told to stop, while `/readyz` already answers 503: the time that
    /// a load balancer needs to notice.
    public var shutdownDelay: Duration

    /// The folder of the page's files; nil: the one that came with the program.
    public var page: URL?
    public var logger: Logger
    /// For tests: called on the worker's thread before each picture is worked on.
    var beforeWork: @Sendable () -> Void = {}

    public init(
        host: String = "127.0.0.1",
        port: Int = 8080,
        threads: Int? = nil,
        workers: Int? = nil,
        accuracy: InferenceOptions.Accuracy = .fast,
        precision: InferenceOptions.Precision = .float32,
        limits: Limits = Limits(),
        token: BearerToken? = nil,
        corsOrigins: [String] = [],
        shutdownDelay: Duration = .seconds(1),
        page: URL? = nil,
        logger: Logger = Logger(label: "segnet-server")
    ) {
        self.host = host
        self.port = port
        self.threads = threads
        self.workers = workers
        self.accuracy = accuracy
        self.precision = precision
        self.limits = limits
        self.token = token
        self.corsOrigins = corsOrigins
        self.shutdownDelay = shutdownDelay
        self.page = page
        self.logger = logger
    }

    /// Threads of one run, cores at most unless said.
    var threadCount: Int { max(1, threads ?? ThreadPool.availableCores) }

    /// Networks that run at once: as many as fit on the cores.
    var concurrentRuns: Int { max(1, min(ThreadPool.availableCores / threadCount, workers ?? .max)) }

    var workerCount: Int { max(1, workers ?? concurrentRuns + 1) }
}
