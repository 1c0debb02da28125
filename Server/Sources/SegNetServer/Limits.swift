/// Limits for one request, and for all together. Beyond a limit the answer is an error that names it.
public struct Limits: Sendable, Hashable {
    /// Bytes of a request's body.
    public var bytes: Int
    /// Pixels of a picture, according to its header, before anything is decoded.
    public var pixels: Int
    /// Pixels at which a network runs, for `size=native` and `size=WxH`: a network's maps take about a kilobyte per
    /// pixel.
    public var runPixels: Int
    /// Requests that wait for a worker.
    public var queue: Int
    /// Connections; further ones wait in the system's backlog.
    public var connections: Int
    /// Bytes of all bodies that are held at once, being received, waiting or worked on.
    public var heldBytes: Int
    /// Pictures in one batch.
    public var batch: Int
    /// Monte-Carlo samples of one request.
    public var samples: Int
    /// From a request's last byte to its answer.
    public var deadline: Duration
    /// From a request's head to its last byte.
    public var receiveTime: Duration
    /// For the client to take an answer.
    public var sendTime: Duration
    /// How long a connection may stay silent between requests, or inside a request's head.
    public var idleTime: Duration

    public init(
        bytes: Int = 32 << 20,
        pixels: Int = 25_000_000,
        runPixels: Int = 2_100_000,
        queue: Int = 64,
        connections: Int = 1024,
        heldBytes: Int = 256 << 20,
        batch: Int = 32,
        samples: Int = 100,
        deadline: Duration = .seconds(30),
        receiveTime: Duration = .seconds(30),
        sendTime: Duration = .seconds(60),
        idleTime: Duration = .seconds(60)
    ) {
        self.bytes = bytes
        self.pixels = pixels
        self.runPixels = runPixels
        self.queue = queue
        self.connections = connections
        self.heldBytes = heldBytes
        self.batch = batch
        self.samples = samples
        self.deadline = deadline
        self.receiveTime = receiveTime
        self.sendTime = sendTime
        self.idleTime = idleTime
    }
}
