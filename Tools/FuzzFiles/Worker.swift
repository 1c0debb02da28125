import SegNetFuzzing
import SegNetPlatform

/// A child: reads a range of damaged files and reports its position on standard output before and after each.
///
///     start 17
///     end 17 2 48234496 1
///
/// The numbers are the file's, the stage reached, the peak memory in bytes, and whether a reader's error named its file.
struct Worker {
    let folder: URL
    let seed: UInt64
    /// Bytes.
    let memoryLimit: Int
    /// The deliberate failure of the child, and the file at which it happens.
    let misbehaviour: String?

    func read(_ range: ClosedRange<Int>) throws {
        let goodFolder = folder.appending(path: "good")
        let readers = try Readers(goodFolder: goodFolder)
        let campaign = FuzzCampaign(goodFiles: try GoodFolder.files(in: goodFolder), seed: seed)
        let work = folder.appending(path: "work-\(getpid())")
        try FileManager.default.createDirectory(at: work, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: work) }
        limitMemory()
        for index in range {
            say("start \(index)")
            misbehave(at: index)
            guard let file = campaign.file(at: index) else { continue }
            let place = work.appending(path: file.name)
            try Data(file.bytes).write(to: place)
            let outcome = readers.read(file, at: place)
            try FileManager.default.removeItem(at: place)
            let peak = MachineMemory.peak
            say("end \(index) \(outcome.stage.rawValue) \(peak) \(outcome.namesFile ? 1 : 0)")
            // The peak never falls again: another child has to continue.
            if peak > memoryLimit { return }
        }
    }

    /// Address space beyond what the child has now may grow by the limit: an allocation of more fails at once, touched or
    /// not. Linux only; elsewhere the peak is checked after each file.
    private func limitMemory() {
        #if os(Linux)
            guard
                let pages = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8))?
                    .split(separator: " ").first.flatMap({ UInt64($0) })
            else { return }
            var limit = rlimit()
            limit.rlim_cur = rlim_t(pages * UInt64(sysconf(Int32(_SC_PAGESIZE)))) + rlim_t(memoryLimit)
            limit.rlim_max = limit.rlim_cur
            setrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit)
        #endif
    }

    private func misbehave(at index: Int) {
        switch misbehaviour {
        case "crash:\(index)": abort()
        case "hang:\(index)": while true { sleep(1) }
        case "allocate:\(index)":
            // More than the limit: refused where address space is limited, seen afterwards elsewhere.
            _ = [UInt8](repeating: 1, count: memoryLimit + (64 << 20)).last
        default: break
        }
    }

    private func say(_ line: String) {
        var bytes = Array("\(line)\n".utf8)[...]
        while !bytes.isEmpty {
            let written = bytes.withUnsafeBytes { write(1, $0.baseAddress, $0.count) }
            if written <= 0 { return }
            bytes = bytes.dropFirst(written)
        }
    }
}
