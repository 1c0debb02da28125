import SegNetPlatform
import Testing

@testable import SegNetFormats

@Suite("Files that are written whole")
struct FileWriterTests {
    private static func write(_ text: String, to url: URL, system: FileWriter.System = .init()) throws {
        var writer = try FileWriter(replacing: url, system: system)
        try writer.write(text)
        try writer.finish(durable: true)
    }

    private static func text(_ url: URL) throws -> String { String(decoding: try Data(contentsOf: url), as: UTF8.self) }

    private static func permissions(_ url: URL) throws -> mode_t {
        var status = stat()
        try #require(stat(url.path, &status) == 0)
        return status.st_mode & 0o777
    }

    @Test("a file below /dev, as in /dev/shm, is replaced like any other")
    func belowDevices() throws {
        try withTemporaryFolder { folder in
            let url = URL(filePath: "/dev/..\(folder.path)/x.safetensors")
            try Self.write("first", to: url)
            try Self.write("2nd", to: url)
            #expect(try Self.text(url) == "2nd")
        }
    }

    @Test("an open file is written on, by each of its names", arguments: ["/dev/fd", "/proc/self/fd"])
    func descriptors(folder: String) throws {
        // Only Linux has both.
        guard FileManager.default.fileExists(atPath: folder) else { return }
        try withTemporaryFolder { temporary in
            let url = temporary.appendingPathComponent("log")
            let descriptor = open(url.path, O_WRONLY | O_CREAT | O_APPEND, 0o600)
            try #require(descriptor >= 0)
            defer { close(descriptor) }
            try Self.write("a", to: URL(filePath: "\(folder)/\(descriptor)"))
            try Self.write("b", to: URL(filePath: "\(folder)/\(descriptor)"))
            #expect(try Self.text(url) == "ab")
        }
    }

    @Test("a link to a file that is not there yet stays a link, and the file is made")
    func danglingLink() throws {
        try withTemporaryFolder { folder in
            let (link, middle) = (folder.appendingPathComponent("a"), folder.appendingPathComponent("b"))
            try FileManager.default.createSymbolicLink(atPath: link.path, withDestinationPath: "b")
            try FileManager.default.createSymbolicLink(atPath: middle.path, withDestinationPath: "\(folder.path)/c")
            try Self.write("new", to: link)
            #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link.path) == "b")
            #expect(try Self.text(folder.appendingPathComponent("c")) == "new")
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() == ["a", "b", "c"])
        }
    }

    @Test("links that lead round in a circle are refused")
    func circle() throws {
        try withTemporaryFolder { folder in
            try FileManager.default.createSymbolicLink(atPath: "\(folder.path)/a", withDestinationPath: "b")
            try FileManager.default.createSymbolicLink(atPath: "\(folder.path)/b", withDestinationPath: "a")
            let text = message { try Self.write("new", to: URL(fileURLWithPath: "a", relativeTo: folder)) }
            #expect(text.hasPrefix("a: cannot be written (Too many levels of symbolic links)."), "\(text)")
        }
    }

    @Test("a new file has the permissions of the one that it replaces, and no others while it is written")
    func permissions() throws {
        try withTemporaryFolder { folder in
            let url = folder.appendingPathComponent("a")
            for mode: mode_t in [0o600, 0o640, 0o444] {
                try Self.write("old", to: url)
                #expect(chmod(url.path, mode) == 0)
                var writer = try FileWriter(replacing: url)
                let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
                let temporary = try #require(names.first { $0.hasPrefix(".segnet-") })
                let meanwhile = try Self.permissions(folder.appendingPathComponent(temporary))
                #expect(meanwhile & ~(mode | 0o600) == 0, "\(meanwhile)")
                try writer.write("new")
                try writer.finish(durable: false)
                #expect(try Self.permissions(url) == mode)
                #expect(try Self.text(url) == "new")
            }
        }
    }

    @Test("a folder of that name is told before anything is written")
    func folder() throws {
        try withTemporaryFolder { folder in
            let url = URL(fileURLWithPath: "a", relativeTo: folder)
            try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
            #expect(
                message { try FileTarget.requireWritable(url) }
                    == "a: cannot be put in place (Is a directory). "
                    + "Check whether a folder has that name, and the permissions of the one around it."
            )
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["a"])
        }
    }

    /// Systems whose disk fails, each at one of the two calls.
    private static func failing(_ call: String, _ number: Int32) -> FileWriter.System {
        var system = FileWriter.System()
        let real = system
        if call == "close" {
            system.close = { descriptor in
                _ = real.close(descriptor)
                errno = number
                return -1
            }
        } else {
            system.synchronize = { _ in
                errno = number
                return -1
            }
        }
        return system
    }

    @Test("a disk that fails at the end is told, and the old file stays", arguments: ["fsync", "close"])
    func lateFailure(call: String) throws {
        try withTemporaryFolder { folder in
            let url = try folder.write("old", as: "a")
            #expect(
                message { try Self.write("new", to: url, system: Self.failing(call, ENOSPC)) }
                    == "a: cannot be written to the end (No space left on device). Check the space left on the disk."
            )
            #expect(try Self.text(url) == "old")
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["a"])
        }
    }

    @Test("file systems on which nothing can be waited for are taken", arguments: [EINVAL, ENOTSUP, EROFS])
    func notSynchronized(number: Int32) throws {
        try withTemporaryFolder { folder in
            let url = try folder.write("old", as: "a")
            try Self.write("new", to: url, system: Self.failing("fsync", number))
            #expect(try Self.text(url) == "new")
        }
    }
}
