import SegNetToolkit

/// The label files that `segnet dataset convert` is given: one, or those of a folder and the folders in it. Links are followed.
struct LabelFiles {
    /// The folder to which names are relative.
    let folder: String
    /// Sorted.
    private(set) var names: [String] = []
    /// How many other results of `segnet predict` lie among them.
    private(set) var leftOut = 0
    /// How many names lead to pipes and devices.
    private(set) var pipes = 0

    private let output: String
    private let form: OutputKind
    private var seenFolders: Set<String> = []

    private static let endings = ["png", "tif", "tiff"]

    /// - Parameters:
    ///   - input: A file or a folder.
    ///   - output: The folder for the results; of an earlier run there may be some, which are not read.
    ///   - form: The results of `segnet predict` that are labels; its others are left out.
    /// - Throws: `FormatError` if nothing is found to convert, two results would have one name, or a folder cannot be read.
    init(_ input: String, output: String, form: OutputKind) throws(FormatError) {
        self.output = InputList.resolved(output)
        self.form = form
        guard let isFolder = FileManager.default.isFolder(input) else {
            throw FormatError(file: input, problem: "there is no such file or folder; check the path")
        }
        guard isFolder else {
            let parts = input.split(separator: "/", omittingEmptySubsequences: false)
            let parent = parts.dropLast().joined(separator: "/")
            folder = parent.isEmpty ? (input.hasPrefix("/") ? "/" : ".") : parent
            names = [String(parts[parts.count - 1])]
            return
        }
        folder = input.count > 1 && input.hasSuffix("/") ? String(input.dropLast()) : input
        try walk("")
        names.sort()
        guard !names.isEmpty else {
            throw FormatError(
                file: input,
                problem: leftOut == 0 ? "holds no PNG or TIFF file" : "holds only other results of 'segnet predict'",
                advice: leftOut == 0 ? "Labels are PNGs or TIFFs" : "Name a file to convert it all the same"
            )
        }
        try requireDistinctResults()
    }

    /// The name of a label's result, which is a PNG.
    static func result(of name: String) -> String {
        let shown = RawFileName.display(name)
        return InputList.ending(of: shown) == "png" ? shown : "\(InputList.withoutEnding(shown)).png"
    }

    private mutating func walk(_ prefix: String) throws(FormatError) {
        let place = prefix.isEmpty ? folder : "\(folder)/\(prefix.dropLast())"
        // Links may lead in circles.
        guard seenFolders.insert(InputList.resolved(place)).inserted else { return }
        guard let found = RawFileName.names(in: place) else {
            throw FormatError(
                file: place,
                problem: "the folder cannot be read",
                advice: "Check its permissions, or name the files to convert"
            )
        }
        for name in found.sorted() where !name.hasPrefix(".") {
            let path = prefix + name
            switch FileAccess.kind(of: "\(folder)/\(path)") {
            case .folder:
                if InputList.resolved("\(folder)/\(path)") != output { try walk(path + "/") }
            case .other: pipes += 1
            // What a link leads to that is gone is told where it is read.
            case .file, .missing:
                guard Self.endings.contains(InputList.ending(of: name)) else { continue }
                if isLabel(name) { names.append(path) } else { leftOut += 1 }
            }
        }
    }

    /// Whether a file of a folder holds labels in the form that is read, as far as its name says.
    private func isLabel(_ name: String) -> Bool {
        let suffixes = [form.fileSuffix, ".\(form.name).tif"]
        return !OutputKind.isOutput(name) || suffixes.contains { name.lowercased().hasSuffix($0) }
    }

    private func requireDistinctResults() throws(FormatError) {
        var owners: [String: String] = [:]
        for name in names {
            guard let other = owners.updateValue(name, forKey: Self.result(of: name)) else { continue }
            throw FormatError(
                file: "\(folder)/\(name)",
                problem:
                    "its result would have the same name as that of \(RawFileName.display(other)), \(Self.result(of: name))",
                advice: "Rename one, or name the files to convert"
            )
        }
    }
}
