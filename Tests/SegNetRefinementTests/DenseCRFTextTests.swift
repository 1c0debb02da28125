import SegNetRefinement
import Testing

@Suite("the numbers of a dense CRF")
struct DenseCRFTextTests {
    @Test(
        "are read in DeepLab's order, and written so that they are read again",
        arguments: [
            ("4,49,5,3,3,10", DenseCRF()),
            ("10,60,20", DenseCRF(w1: 10, sigmaAlpha: 60, sigmaBeta: 20)),
            ("0.5,49,5,3,3,2", DenseCRF(w1: 0.5, iterations: 2)),
            ("4,49,5,3,3,10,symmetric", DenseCRF(normalization: .symmetric)),
            ("symmetric", DenseCRF(normalization: .symmetric)),
            ("after", DenseCRF()),
        ]
    )
    func reads(text: String, crf: DenseCRF) throws {
        #expect(try DenseCRF(text) == crf)
        #expect(try DenseCRF("\(crf)") == crf)
    }

    @Test(
        "are refused with the name of what is wrong",
        arguments: [
            (
                "4,x",
                "sigma-alpha is 'x', which is not a number; write w1,sigma-alpha,sigma-beta,w2,sigma-gamma,iterations."
            ),
            ("", "w1 is '', which is not a number; write w1,sigma-alpha,sigma-beta,w2,sigma-gamma,iterations."),
            ("nan", "w1 is 'nan', which is not a number; write w1,sigma-alpha,sigma-beta,w2,sigma-gamma,iterations."),
            ("4,49,0", "sigma-beta is 0; give a number in 0.1...10000."),
            ("-1", "w1 is -1; give a number in 0...1000."),
            ("4,49,5,3,3,2.5", "iterations is '2.5'; give a whole number."),
            ("4,49,5,3,3,-1", "iterations is -1; give a whole number in 0...1000."),
            (
                "1,2,3,4,5,6,7",
                "'1,2,3,4,5,6,7' has 7 numbers; at most 6 are read: w1,sigma-alpha,sigma-beta,w2,sigma-gamma,iterations."
            ),
        ]
    )
    func refuses(text: String, reason: String) {
        #expect(performing: { try DenseCRF(text) }, throws: { "\($0)" == "dense CRF: \(reason)" })
    }
}
