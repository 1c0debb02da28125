import SegNetAnnotations
import SegNetFormats
import SegNetImages
import SegNetMultipart
import SegNetPlatform
import SegNetTraining

/// Coverage-guided fuzzing of the readers: `FuzzCoverage FORMAT [libFuzzer's options] CORPUS...`. scripts/fuzz-coverage builds and runs it.
@main
struct FuzzCoverage {
    static func main() {
        let arguments = CommandLine.arguments
        if arguments.count == 2, arguments[1] == "--formats" {
            print(FuzzedFormat.allCases.map(\.rawValue).joined(separator: "\n"))
            exit(0)
        }
        guard arguments.count > 1, let format = FuzzedFormat(rawValue: arguments[1]) else {
            print("usage: FuzzCoverage FORMAT [OPTION...] [CORPUS...]; formats: ", terminator: "")
            print(FuzzedFormat.allCases.map(\.rawValue).joined(separator: " "))
            exit(64)
        }
        let place = FileManager.default.temporaryDirectory.appending(path: "fuzz-coverage-\(getpid()).\(format)")
        let status = FuzzDriver.run([arguments[0]] + arguments.dropFirst(2)) { bytes in
            do {
                try format.read(bytes, at: place)
            } catch is MultipartError {
                // A form has no file.
            } catch {
                let isOurs =
                    error is FormatError || error is ImageError || error is ConfigurationError
                    || error is AnnotationError
                precondition(isOurs, "an error that is none of ours: \(error)")
                precondition("\(error)".contains(place.lastPathComponent), "an error does not name its file: \(error)")
            }
        }
        try? FileManager.default.removeItem(at: place)
        exit(status)
    }
}
