public import Logging
public import SegNetToolkit

/// Everything that a service can be told. The command line and the environment fill it in; tests do it by hand.
public struct ServiceConfiguration: Sendable {
    /// Where it listens.
    public var host = "127.0.0.1"
    /// 0 lets the system choose one.
    public var port = 8080

    /// How networks run: threads, accuracy, precision. What may be asked of them is the service's choice.
    public var segmenter = Segmenter.Options()
    /// The number of requests in progress at once, each on its own thread. Nil: two more than the networks that run at once, so that a
    /// picture can be decoded or encoded while another is in the network, and a small request waits for neither.
    public var workers: Int?

    public var limits = Limits()
    public var videos = VideoLimits()
    /// The token that clients of `/v1/segment` must send; nil: none.
    public var token: BearerToken?
    /// Origins whose pages may call the service, `*` for all; none: no cross-origin calls.
    public var corsOrigins: [String] = []
    /// How long the service keeps serving after it was told to stop, while `/readyz` already answers 503: the time that
    /// a load balancer needs to notice.
    public var shutdownDelay: Duration = .seconds(1)

    /// The folder of the page's files; nil: the one that came with the program.
    public var page: URL?
    public var logger = Logger(label: "segnet-server")
    /// Bytes that the process could take now; tests say what they need.
    var availableMemory: @Sendable () -> Int? = { MachineMemory.available }
    /// Finds the programs for videos; tests replace it.
    var findFFmpeg: @Sendable () throws(VideoError) -> FFmpeg = { () throws(VideoError) in try installedFFmpeg.get() }
    /// For tests: called on the worker's thread before each picture is worked on.
    var beforeWork: @Sendable () -> Void = {}

    public init(threads: Int? = nil, workers: Int? = nil) {
        segmenter.threads = threads
        self.workers = workers
    }

    /// Threads of one run, all cores unless it is given.
    var threadCount: Int { max(1, segmenter.threads ?? ThreadPool.availableCores) }

    /// Networks that run at once: as many as fit on the cores.
    var concurrentRuns: Int { max(1, min(ThreadPool.availableCores / threadCount, workers ?? .max)) }

    var workerCount: Int { max(1, workers ?? concurrentRuns + 2) }
}

/// Looked for once.
private let installedFFmpeg = Result { () throws(VideoError) in try FFmpeg() }
