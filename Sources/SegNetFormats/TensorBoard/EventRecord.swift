internal import SegNetPlatform
internal import SwiftProtobuf

/// The content of one record of a TensorBoard event file.
public struct EventRecord: Sendable, Hashable {
    /// Seconds since 1970.
    public var time: Double
    /// The step of the training.
    public var step: Int
    public var content: Content

    public enum Content: Sendable, Hashable {
        /// The first record of each file: "brain.Event:2", and what wrote it.
        case fileVersion(String, writer: String)
        /// A program begins to log: what other files say of this step and later ones is void.
        case sessionStart
        /// Values of the step.
        case values([Value])
    }

    /// A value under a tag. TensorBoard groups tags by what stands before their first slash.
    public enum Value: Sendable, Hashable {
        case scalar(String, Float)
        /// A PNG file. channels: 1 gray, 3 RGB, 4 RGBA.
        case picture(String, png: [UInt8], width: Int, height: Int, channels: Int)
    }

    public init(time: Double, step: Int, _ content: Content) {
        self.time = time
        self.step = step
        self.content = content
    }

    /// The version that every file of today begins with.
    static let version = "brain.Event:2"

    /// The record with its frame, ready to be appended to a file.
    func framed() throws(FormatError) -> [UInt8] {
        do { return RecordFrame.bytes(around: try message.serializedBytes()) } catch {
            // Only messages above 2 GiB: no picture of a training is.
            throw FormatError(file: "event of step \(step)", problem: "cannot be encoded (\(error))")
        }
    }

    private var message: Tensorboard_Event {
        var event = Tensorboard_Event()
        event.wallTime = time
        event.step = Int64(step)
        switch content {
        case .fileVersion(let text, let writer):
            event.fileVersion = text
            event.sourceMetadata.writer = writer
        case .sessionStart: event.sessionLog.status = .start
        case .values(let values): event.summary.value = values.map(\.message)
        }
        return event
    }

    /// Reads the content of a record; nil if it is not an event, or an event of a kind that we do not write.
    init?(_ bytes: UnsafeRawBufferPointer) {
        guard let event = try? Tensorboard_Event(serializedBytes: Array(bytes)) else { return nil }
        time = event.wallTime
        step = Int(event.step)
        switch event.what {
        case .fileVersion(let text): content = .fileVersion(text, writer: event.sourceMetadata.writer)
        case .sessionLog(let log) where log.status == .start: content = .sessionStart
        case .summary(let summary): content = .values(summary.value.compactMap(Value.init))
        default: return nil
        }
    }
}

extension EventRecord.Value {
    fileprivate var message: Tensorboard_Summary.Value {
        var value = Tensorboard_Summary.Value()
        switch self {
        case .scalar(let tag, let number):
            value.tag = tag
            value.simpleValue = number
        case .picture(let tag, let png, let width, let height, let channels):
            value.tag = tag
            value.image.width = Int32(clamping: width)
            value.image.height = Int32(clamping: height)
            value.image.colorspace = Int32(clamping: channels)
            value.image.encodedImageString = Data(png)
        }
        return value
    }

    fileprivate init?(_ value: Tensorboard_Summary.Value) {
        switch value.value {
        case .simpleValue(let number): self = .scalar(value.tag, number)
        case .image(let image):
            self = .picture(
                value.tag,
                png: Array(image.encodedImageString),
                width: Int(image.width),
                height: Int(image.height),
                channels: Int(image.colorspace)
            )
        case nil: return nil
        }
    }
}
