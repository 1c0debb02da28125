/// Limits for videos. Beyond a limit the answer is an error that names it.
public struct VideoLimits: Sendable, Hashable {
    /// Bytes of a video; 0: none is taken.
    public var bytes = 64 << 20
    /// How long a video may be, in seconds.
    public var seconds = 60
    /// Frames that are segmented of a video.
    public var frames = 3600
    /// Pixels of a frame: 4K.
    public var pixels = 8_300_000
    /// Videos that wait, are worked on, or whose results can be fetched.
    public var count = 8
    /// How long a result can be fetched, and for how long a video is worked on without anybody asking for it.
    public var keepTime: Duration = .seconds(600)
    public var patience: Duration = .seconds(60)

    public init() {}
}
