import Foundation
import SegNetImages
import Testing

@Suite("What a picture's path names already")
struct FileTargetTests {
    @Test("a link leads to its file and stays; a pipe is written, not replaced")
    func targets() throws {
        let folder = FileManager.default.temporaryDirectory.appending(
            path: "segnet-target-\(UInt64.random(in: 0 ... .max))"
        )
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
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
}
