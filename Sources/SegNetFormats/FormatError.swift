/// Why a file could not be read or written: which file, where in it, what is wrong, and what would help.
public struct FormatError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The file, as the caller named it.
    public var file: String
    /// The line of a text file, counted from 1.
    public var line: Int?
    /// What was found and what was needed: a sentence without its full stop.
    public var problem: String
    /// What to do next: a sentence without its full stop.
    public var advice: String?

    /// Describes one failure. Sentences come without their full stop.
    public init(file: String, line: Int? = nil, problem: String, advice: String? = nil) {
        self.file = file
        self.line = line
        self.problem = problem
        self.advice = advice
    }

    /// `FILE:LINE: PROBLEM. ADVICE.`
    public var description: String {
        let place = line.map { "\(file):\($0)" } ?? file
        let sentences = [problem, advice].compactMap { $0 }.map { "\($0)." }
        return "\(place): \(sentences.joined(separator: " "))"
    }
}
