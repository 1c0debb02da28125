import SegNetToolkit

/// The folder behind `--output`, or behind another option that errors then name.
enum OutputFolder {
    /// Makes the folder, sees that files can be written into it, before hours of work are done for it, and removes what killed runs have
    /// left there.
    /// - Parameter isShared: Whether processes of other machines may be writing into it, of which nothing can be seen: nothing is removed.
    static func prepare(
        _ path: String,
        option: String? = "--output",
        isShared: Bool = false
    ) throws(OutputFolderError) {
        try make(path, option: option)
        guard canWrite(path) else { throw OutputFolderError(path: path, problem: .writing, option: option) }
        if !isShared { LeftoverFiles.remove(in: path) }
    }

    /// Whether a file can be written into a folder. Permissions do not tell of disks that are full or mounted for reading.
    ///
    /// Not by `FileManager`, which writes under a name of its own first: a run that is killed then leaves a file that nobody removes.
    private static func canWrite(_ folder: String) -> Bool {
        withProbe(in: folder) { descriptor, _ in
            var byte: UInt8 = 0
            return pwrite(descriptor, &byte, 1, 0) == 1
        }
    }

    /// Whether a folder takes names for the same that differ only in capital and small letters, as those of macOS and Windows usually do,
    /// and drives with their file systems.
    static func ignoresCase(_ folder: String) -> Bool {
        withProbe(in: folder) { _, name in FileAccess.kind(of: "\(folder)/\(name.uppercased())") != .missing }
    }

    /// What `body` finds with an empty file in a folder, which is removed again; false if the file cannot be made.
    private static func withProbe(in folder: String, _ body: (_ descriptor: Int32, _ name: String) -> Bool) -> Bool {
        let probe = LeftoverFiles.name(beside: "\(folder)/probe")
        let descriptor = open(probe, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { return false }
        defer {
            close(descriptor)
            unlink(probe)
        }
        return body(descriptor, InputList.lastComponent(probe))
    }

    /// Writes a small text.
    static func write(_ text: String, to path: String, option: String? = "--output") throws(OutputFolderError) {
        do { try FileTarget.write(text, to: path) } catch {
            throw OutputFolderError(path: path, problem: .writingFile(error.problem), option: option)
        }
    }

    /// Makes a folder for files that are needed for a moment; whoever asks for it removes it.
    static func temporary() throws(OutputFolderError) -> URL {
        let folder = FileManager.default.temporaryDirectory.appending(path: "segnet-\(UInt64.random(in: 0 ... .max))")
        do { try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true) } catch {
            throw OutputFolderError(path: folder.path(percentEncoded: false), problem: .makingTemporary)
        }
        return folder
    }

    /// Makes the folder and those above it, where they are not there.
    static func make(_ path: String, option: String? = "--output") throws(OutputFolderError) {
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            throw OutputFolderError(path: path, problem: .making, option: option)
        }
    }
}

/// The output folder cannot be made, or not be written to.
struct OutputFolderError: Error, CustomStringConvertible {
    enum Problem {
        case making, makingTemporary, writing
        /// With the cause, beginning with a verb.
        case writingFile(String)
    }

    var path: String
    var problem: Problem
    /// The option that names it; nil where an argument does.
    var option: String? = "--output"

    private var place: String { option.map { "'\($0)'" } ?? "folder" }

    var description: String {
        switch problem {
        case .making:
            "\(path): the folder cannot be made; choose another \(place), or check whether a file has that name, and the permissions."
        case .makingTemporary:
            "\(path): a folder for temporary files cannot be made; set TMPDIR to a folder in which you may write."
        case .writing:
            "\(path): no file can be written into the folder; choose another \(place), or check its permissions and the disk."
        case .writingFile(let cause):
            "\(path): \(cause); choose another \(place), or check the disk and the permissions of its folder."
        }
    }
}
