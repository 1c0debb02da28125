/// Limits for videos. Beyond a limit the answer is an error that names it.
public struct VideoLimits: Sendable, Hashable {
    /// Bytes of a video; 0 if videos are not accepted.
    public var bytes = 64 << 20
    /// Length of a video in seconds.
    public var seconds = 60
    /// Frames of a video that are segmented.
    public var frames = 3600
    /// Pixels of a frame: 4K.
    public var pixels = 8_300_000
    /// Videos that wait, are worked on, or whose results can be fetched.
    public var count = 8
    /// Bytes of all these videos and results on disk; at least `bytes` count.
    public var diskBytes = 2 << 30
    /// How long a result can be fetched.
    public var keepTime: Duration = .seconds(600)
    /// How long work on a video goes on if nobody asks for it. Browsers let pages in the background ask once a minute at most.
    public var patience: Duration = .seconds(180)

    public init() {}
}
