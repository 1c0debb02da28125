internal import SegNetPlatform
public import SegNetRefinement

extension Segmenter {
    /// How class probabilities are refined before classes are taken from them.
    ///
    ///     segmenter.segment(photo, .init(refinement: .denseCRF(DenseCRF(w1: 5, sigmaAlpha: 50, sigmaBeta: 3))))
    public enum Refinement: Sendable, Hashable {
        /// A dense CRF moves the borders between classes to the picture's edges. Nil: with what `segnet tune crf` has stored with the
        /// model, or else `DenseCRF()`.
        case denseCRF(DenseCRF?)

        /// Reads the words of a command line: `crf`, or `crf:` with the numbers that `DenseCRF.init(_:)` reads.
        /// - Throws: `WordsError` with the word or number that is wrong.
        public init(_ text: String) throws(WordsError) {
            let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.first == "crf" else {
                throw WordsError(
                    "refinement",
                    text: text,
                    problem: "'\(parts.first ?? "")' is not a known refinement; the only one is 'crf'"
                )
            }
            guard parts.count == 2 else {
                self = .denseCRF(nil)
                return
            }
            do throws(DenseCRFError) { self = .denseCRF(try DenseCRF(String(parts[1]))) } catch {
                throw WordsError("refinement", text: text, problem: error.problem)
            }
        }

        /// The dense CRF that is meant.
        func crf(tuned: DenseCRF?) -> DenseCRF {
            switch self {
            case .denseCRF(let crf): crf ?? tuned ?? DenseCRF()
            }
        }
    }

    /// The dense CRF of a refinement: its own numbers, or the model's tuned ones where it has none.
    public func crf(of refinement: Refinement) -> DenseCRF { refinement.crf(tuned: tunedCRF) }

    /// The numbers in a model's file, or a sentence about why they cannot be used.
    static func tunedCRF(_ text: String?) -> (crf: DenseCRF?, note: String?) {
        guard let text else { return (nil, nil) }
        do throws(DenseCRFError) { return (try DenseCRF(text), nil) } catch {
            return (nil, "the dense CRF that is stored with the model cannot be used (\(error.problem))")
        }
    }
}

extension Segmenter.Refinement: CustomStringConvertible {
    /// `crf`, `crf:4,49,5,3,3,10`
    public var description: String {
        switch self {
        case .denseCRF(nil): "crf"
        case .denseCRF(let crf?): "crf:\(crf)"
        }
    }
}
