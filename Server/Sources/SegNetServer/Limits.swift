/// Limits for one request, and for all together. Beyond a limit the answer is an error that names it.
public struct Limits: Sendable, Hashable {
    /// Bytes of a request's body.
    public var bytes = 32 << 20
    /// Pixels of a picture, according to its header, before anything is decoded.
    public var pixels = 25_000_000
    /// Pixels at which a network runs, for `size=native` and `size=WxH`: a network's maps take 130 to 200 bytes per
    /// pixel (docs/server.md).
    public var runPixels = 800_000
    /// Requests that wait for a worker.
    public var queue = 64
    /// Connections; further ones wait in the system's backlog.
    public var connections = 1024
    /// Bytes of all bodies that are held at once, being received, waiting or worked on.
    public var heldBytes = 256 << 20
    /// Bytes of all answers that clients have not taken yet.
    public var heldAnswerBytes = 256 << 20
    /// Pictures in one batch.
    public var batch = 32
    /// Monte-Carlo samples of one request.
    public var samples = 100
    /// From a request's last byte to its answer.
    public var deadline: Duration = .seconds(30)
    /// From a request's head to its last byte.
    public var receiveTime: Duration = .seconds(30)
    /// How long the client may take to receive an answer. The command's `--idle-timeout` sets this as well.
    public var sendTime: Duration = .seconds(60)
    /// How long a connection may stay silent between requests, or inside a request's head.
    public var idleTime: Duration = .seconds(60)

    public init() {}
}
