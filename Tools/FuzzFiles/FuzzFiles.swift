public import ArgumentParser
public import SegNetFuzzing
import SegNetPlatform

/// Feeds damaged files to every reader of the package, in child processes, and counts how far they get.
@main
struct FuzzFiles: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Feed damaged pictures, models and annotations to SegNet's readers.",
        discussion: """
            A third of the files is damaged in its structure, a third in its length, a third in its payload with lengths \
            and checksums made right again. A crash, more than the time limit for one file, or more than the memory limit \
            is a failure: the file is kept, and the exit code is 1.

            Files depend on the seed and their number alone. To see one again:
              FuzzFiles --seed 1 --show 4711
            """
    )

    @Option(help: "How many files.")
    var count = 10_000

    @Option(help: "Another seed, other files.")
    var seed: UInt64 = 1

    @Option(help: ArgumentHelp("Formats to try (all).", valueName: "format"))
    var format: [FileFormat] = []

    @Option(
        help: ArgumentHelp(
            "A folder with more good files to start from; searched with its subfolders.",
            valueName: "folder"
        )
    )
    var good: [String] = []

    @Option(help: ArgumentHelp("Where good files, work and failures go.", valueName: "folder"))
    var output = "output/fuzz"

    @Option(help: "How many children work at once (all cores).")
    var jobs: Int?

    @Option(help: ArgumentHelp("How long one file may take.", valueName: "seconds"))
    var timeLimit = 10

    @Option(help: ArgumentHelp("How much memory a reader may take.", valueName: "MiB"))
    var memoryLimit = 1024

    @Option(help: ArgumentHelp("Make one file, read it in this process, and say what happens.", valueName: "number"))
    var show: Int?

    /// Numbers of files that a child reads: the supervisor gives them.
    @Option(help: .hidden)
    var first: Int?

    @Option(help: .hidden)
    var last: Int?

    /// For tests of the supervisor: a child does this (`crash`, `hang`, `allocate`) at that file, such as `crash:17`.
    @Option(help: .hidden)
    var misbehave: String?

    func validate() throws {
        if count < 1 { throw ValidationError("Please give a '--count' of at least 1.") }
        if timeLimit < 1 || memoryLimit < 64 {
            throw ValidationError("Please give a '--time-limit' of at least 1 and a '--memory-limit' of at least 64.")
        }
    }

    func run() throws {
        let folder = URL(filePath: output, directoryHint: .isDirectory)
        if let first, let last {
            let worker = Worker(folder: folder, seed: seed, memoryLimit: memoryLimit << 20, misbehaviour: misbehave)
            try worker.read(first...max(first, last))
            return
        }
        let goodFiles = try GoodFolder.prepare(folder.appending(path: "good"), formats: format, more: good)
        if let show {
            try showFile(show, from: FuzzCampaign(goodFiles: goodFiles, seed: seed), folder: folder)
            return
        }
        let supervisor = Supervisor(
            campaign: FuzzCampaign(goodFiles: goodFiles, seed: seed),
            folder: folder,
            count: count,
            jobs: max(1, jobs ?? ThreadPool.availableCores),
            timeLimit: timeLimit,
            memoryLimit: memoryLimit,
            misbehaviour: misbehave
        )
        let failures = try supervisor.run()
        if failures > 0 { throw ExitCode.failure }
    }

    private func showFile(_ index: Int, from campaign: FuzzCampaign, folder: URL) throws {
        guard let file = campaign.file(at: index) else { throw ValidationError("There is no file \(index).") }
        let place = folder.appending(path: file.name)
        try Data(file.bytes).write(to: place)
        print("\(place.relativePath): \(file.bytes.count) bytes, \(file.kind.rawValue) of \(file.origin)")
        let readers = try Readers(goodFolder: folder.appending(path: "good"))
        let outcome = readers.read(file, at: place)
        print("\(outcome.stage)\(outcome.message.map { ": \($0)" } ?? "")")
    }
}

extension FileFormat: ExpressibleByArgument {}
