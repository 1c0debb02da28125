import ArgumentParser
import SegNetToolkit

/// How the probabilities are refined before classes are taken from them (`--refine`).
struct RefinementOptions: ParsableArguments {
    @Option(
        name: .customLong("refine"),
        help: ArgumentHelp(
            "Move borders to the picture's edges with a dense CRF: crf, or crf:w1,sigma-alpha,sigma-beta,w2,sigma-gamma,"
                + "iterations. (crf alone: what 'segnet tune crf' stored with the model, or else 4,49,5,3,3,10)",
            valueName: "crf"
        ),
        transform: { text in
            do throws(Segmenter.WordsError) { return try Segmenter.Refinement(text) } catch {
                throw ValidationError("\(error.problem).")
            }
        }
    )
    var refinement: Segmenter.Refinement?

    /// - Throws: `ValidationError` where samples are asked for, too.
    func check(_ sampling: SamplingOptions) throws {
        if refinement != nil, sampling.samples != nil {
            throw ValidationError("Please give either '--refine' or '--samples', not both.")
        }
    }
}
