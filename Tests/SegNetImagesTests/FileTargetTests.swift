import Foundation
import SegNetImages
import Testing

@Suite("What a picture's path names already")
struct FileTargetTests {
    @Test("a link leads to its file and stays; a pipe is written, not replaced")
    func targets() throws {
        let folder = try Self.folder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let map = try LabelMap(width: 3, height: 2, ids: [0, 1, 2, 3, 4, 5])
        let (real, link, pipe) = (
            folder.appending(path: "real.png").path, folder.appending(path: "link.png").path,
            folder.appending(path: "pipe.png").path
        )
        try Data([1]).write(to: URL(filePath: real))
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "real.png")
        try map.write(path: link)
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link) == "real.png")
        #expect(try LabelMap(path: real) == map)
        // A file of no bytes is one, too.
        let empty = folder.appending(path: "empty.txt").path
        try FileAccess.write([], to: empty)
        #expect(try Data(contentsOf: URL(filePath: empty)).isEmpty)

        #expect(mkfifo(pipe, 0o600) == 0)
        let reader = Process()
        reader.executableURL = URL(filePath: "/bin/cat")
        reader.arguments = [pipe]
        let output = Pipe()
        reader.standardOutput = output
        try reader.run()
        try map.write(path: pipe)
        let bytes = output.fileHandleForReading.readDataToEndOfFile()
        reader.waitUntilExit()
        #expect(bytes == (try Data(contentsOf: URL(filePath: real))))
        #expect(try FileManager.default.attributesOfItem(atPath: pipe)[.type] as? FileAttributeType != .typeRegular)
    }

    private static func folder() throws -> URL {
        let folder = FileManager.default.temporaryDirectory.appending(
            path: "segnet-target-\(UInt64.random(in: 0 ... .max))"
        )
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        return folder
    }

    @Test("a file below /dev, as in /dev/shm, is replaced; an open file is written on")
    func belowDevices() throws {
        let folder = try Self.folder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appending(path: "a.txt")
        for text in ["first", "2nd"] { try FileAccess.write(Array(text.utf8), to: "/dev/..\(file.path)") }
        #expect(try Data(contentsOf: file) == Data("2nd".utf8))

        let descriptor = open(file.path, O_WRONLY | O_APPEND)
        try #require(descriptor >= 0)
        defer { close(descriptor) }
        try FileAccess.write([0x21], to: "/dev/fd/\(descriptor)")
        #expect(try Data(contentsOf: file) == Data("2nd!".utf8))
    }

    @Test("a link to a file that is not there yet stays a link; links in a circle are refused")
    func danglingLinks() throws {
        let folder = try Self.folder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.path
        for (link, target) in [("a", "b"), ("b", "\(path)/c"), ("x", "y"), ("y", "x")] {
            try FileManager.default.createSymbolicLink(atPath: "\(path)/\(link)", withDestinationPath: target)
        }
        try FileAccess.write([1], to: "\(path)/a")
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: "\(path)/a") == "b")
        #expect(try Data(contentsOf: folder.appending(path: "c")) == Data([1]))
        #expect(throws: ImageError.self) { try FileAccess.write([1], to: "\(path)/x") }
        #expect(try FileManager.default.contentsOfDirectory(atPath: path).sorted() == ["a", "b", "c", "x", "y"])
    }

    @Test("a new file has the permissions of the one that it replaces", arguments: [0o600, 0o640, 0o444] as [mode_t])
    func permissions(mode: mode_t) throws {
        let folder = try Self.folder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.appending(path: "a.png").path
        try Data([1]).write(to: URL(filePath: path))
        #expect(chmod(path, mode) == 0)
        try LabelMap(width: 1, height: 1, ids: [0]).write(path: path)
        var status = stat()
        #expect(stat(path, &status) == 0 && status.st_mode & 0o777 == mode)
    }
}
