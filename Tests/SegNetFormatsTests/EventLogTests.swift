import SegNetPlatform
import Testing

@testable import SegNetFormats

@Suite("CRC-32C")
struct CRC32CTests {
    @Test(
        "has the values of RFC 3720, appendix B.4, and the common check value",
        arguments: [
            ([UInt8](repeating: 0, count: 32), 0x8A91_36AA), ([UInt8](repeating: 0xFF, count: 32), 0x62A8_AB43),
            ((0..<32).map { UInt8($0) }, 0x46DD_794E), ((0..<32).map { UInt8(31 - $0) }, 0x113F_DB5C),
            (Array("123456789".utf8), 0xE306_9283), ([], 0),
        ] as [([UInt8], UInt32)]
    )
    func values(bytes: [UInt8], expected: UInt32) { #expect(CRC32C.checksum(bytes) == expected) }
}

/// A folder that goes with its last user.
private final class TemporaryFolder {
    let url = FileManager.default.temporaryDirectory.appending(path: "segnet-events-\(UInt64.random(in: 0 ... .max))")
    init() throws { try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true) }
    deinit { try? FileManager.default.removeItem(at: url) }
}

@Suite("TensorBoard event files")
struct EventLogTests {
    static let golden = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "Goldens/events.tfevents")

    /// What `Goldens/make-events.py` has TensorBoard write.
    static let records: [EventRecord] = [
        EventRecord(
            time: 1_764_150_000.25,
            step: 0,
            .fileVersion("brain.Event:2", writer: "tensorboard.summary.writer.event_file_writer")
        ),
        EventRecord(time: 1_764_150_000.75, step: 1, .sessionStart),
        EventRecord(
            time: 1_764_150_001.25,
            step: 1,
            .values([.scalar("train/loss", 2.5), .scalar("train/learning_rate", 0.1), .scalar("train/mean_iou", 0)])
        ),
        EventRecord(
            time: 1_764_150_002.25,
            step: 123_456_789_012,
            .values([.scalar("class_iou/Straße", .infinity), .scalar("class_iou/sky", .nan)])
        ),
        EventRecord(
            time: 1_764_150_003.25,
            step: 300,
            .values([
                .picture("validation/1", png: (0..<300).map { UInt8($0 % 256) }, width: 640, height: 200, channels: 3)
            ])
        ),
        EventRecord(time: 1_764_150_004.25, step: 301, .values([])),
    ]

    @Test("are, byte for byte, what TensorBoard writes")
    func equalsTensorBoard() throws {
        let written = try Self.records.reduce(into: [UInt8]()) { $0 += try $1.framed() }
        #expect(written == Array(try Data(contentsOf: Self.golden)))
    }

    @Test("can be read back")
    func readsTensorBoard() throws {
        // NaN is not equal to itself: the records are compared as they print.
        #expect("\(try EventLog.records(of: Self.golden))" == "\(Self.records)")
    }

    @Test("begin with the version and the session's start")
    func begins() throws {
        let folder = try TemporaryFolder()
        let log = try EventLog(folder.url, after: nil, time: 12.5)
        #expect(log.url.lastPathComponent == "events.out.tfevents.0000000012.segnet")
        try log.write([.scalar("a", 1)], step: 1, time: 13)
        #expect(
            try EventLog.records(of: log.url) == [
                EventRecord(time: 12.5, step: 0, .fileVersion("brain.Event:2", writer: "segnet")),
                EventRecord(time: 12.5, step: 1, .sessionStart),
                EventRecord(time: 13, step: 1, .values([.scalar("a", 1)])),
            ]
        )
    }

    @Test("say each step once after a session that went on from a checkpoint, in order, though the clock stood still")
    func resumes() throws {
        let folder = try TemporaryFolder()
        for (after, steps) in [(nil, 1...5), (3, 4...8), (6, 7...9), (9, 10...10)] as [(Int?, ClosedRange<Int>)] {
            let log = try EventLog(folder.url, after: after, time: 100)
            for step in steps { try log.write([.scalar("loss", Float(step))], step: step) }
        }
        let files = try EventLog.files(in: folder.url)
        #expect(files.count == 4)
        #expect(try files.flatMap { try Self.steps($0) } == Array(1...10))
        // Steps that never counted are removed with everything that a session wrote about them.
        _ = try EventLog(folder.url, after: 6, time: 100)
        let starts = try EventLog.files(in: folder.url).map { try Self.steps($0) }
        #expect(starts == [[1, 2, 3], [4, 5, 6], []])
        _ = try EventLog(folder.url, after: nil, time: 100)
        #expect(try EventLog.files(in: folder.url).count == 1)
    }

    private static func steps(_ file: URL) throws -> [Int] {
        try EventLog.records(of: file).compactMap { if case .values = $0.content { $0.step } else { nil } }
    }

    @Test("that were cut short anywhere keep all records before, and the next session drops the rest")
    func cutAnywhere() throws {
        let whole = Array(try Data(contentsOf: Self.golden))
        var ends: [Int] = []
        for record in Self.records { ends.append((ends.last ?? 0) + (try record.framed().count)) }
        for length in stride(from: 0, through: whole.count, by: 7) {
            let folder = try TemporaryFolder()
            let file = folder.url.appending(path: "events.out.tfevents.0000000001.segnet")
            try Data(whole.prefix(length)).write(to: file)
            let kept = ends.count { $0 <= length }
            #expect(try EventLog.records(of: file).count == kept)
            _ = try EventLog(folder.url, after: 1_000_000_000_000)
            // Values begin with the third record.
            #expect((try? Data(contentsOf: file))?.count == (kept >= 3 ? ends[kept - 1] : nil), "\(length) bytes")
        }
    }

    @Test("that are damaged are read up to the damage", arguments: [0, 9, 20, 90, 100, 150])
    func damaged(offset: Int) throws {
        var bytes = Array(try Data(contentsOf: Self.golden))
        bytes[offset] ^= 0x10
        let folder = try TemporaryFolder()
        let file = folder.url.appending(path: "damaged")
        try Data(bytes).write(to: file)
        let first = try Self.records[0].framed().count
        let second = first + (try Self.records[1].framed().count)
        #expect(try EventLog.records(of: file).count == (offset < first ? 0 : offset < second ? 1 : 2))
    }

    @Test("leave files of other programs alone")
    func otherFiles() throws {
        let folder = try TemporaryFolder()
        let names = ["events.out.tfevents.0000000001.host.7.0", "events.out.tfevents.segnet", "notes.segnet"]
        for name in names { try Data("mine".utf8).write(to: folder.url.appending(path: name)) }
        _ = try EventLog(folder.url, after: nil)
        for name in names { #expect(try Data(contentsOf: folder.url.appending(path: name)) == Data("mine".utf8)) }
    }

    #if os(Linux)
        @Test("say which file a full disk did not take")
        func fullDisk() throws {
            let log = EventLog(URL(filePath: "run/events"), descriptor: open("/dev/full", O_WRONLY))
            #expect(
                message { try log.write([.scalar("a", 1)], step: 1) }
                    == "run/events: cannot be written (No space left on device). Check the folder and the space left on the disk, or "
                    + "train without a TensorBoard log."
            )
        }
    #endif

    @Test("say which folder they cannot be written to")
    func unwritable() throws {
        let folder = try TemporaryFolder()
        let missing = folder.url.appending(path: "missing")
        #expect {
            try EventLog(missing, after: nil)
        } throws: {
            "\($0)"
                == "\(missing.relativePath): cannot be listed. Check the folder and the space left on the disk, or train without a TensorBoard "
                + "log."
        }
    }
}
