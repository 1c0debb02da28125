import Foundation
import Testing

@testable import SegNetFormats

@Suite("Temporary files")
struct LeftoverFilesTests {
    @Test("of killed processes are removed, those of living ones and everything else stays")
    func removal() throws {
        let folder = FileManager.default.temporaryDirectory.appending(
            path: "segnet-leftovers-\(UInt64.random(in: 0 ... .max))"
        )
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        // A process that is over.
        let child = try Process.run(URL(filePath: "/bin/sh"), arguments: ["-c", "exit 0"])
        child.waitUntilExit()
        let over = child.processIdentifier
        let kept = [".segnet-1-7", ".segnet-\(over)", ".segnet-\(over)-x", "segnet-\(over)-3", ".segnet-\(over)-3-4"]
        let gone = [".segnet-\(over)-0", ".segnet-\(over)-18446744073709551615", ".segnet-\(getpid())-5"]
        for name in kept + gone { try Data([1]).write(to: folder.appending(path: name)) }
        // One that is being written.
        var writer = try FileWriter(replacing: folder.appending(path: "model.safetensors"))
        LeftoverFiles.remove(in: folder.path)
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        #expect(
            Set(names).isSuperset(of: kept) && Set(names).isDisjoint(with: gone) && names.count == kept.count + 1,
            "\(names)"
        )
        try writer.write("whole")
        try writer.finish(durable: false)
        #expect(try String(contentsOf: folder.appending(path: "model.safetensors"), encoding: .utf8) == "whole")
    }
}
