/** The Unicode tables inside tr46 that JavaScript's \p{…} has no property for (Bidi_Class, Joining_Type, ccc). */
declare module "tr46/lib/regexes.js" {
  const regexes: {
    /** Canonical_Combining_Class = Virama. */
    readonly combiningClassVirama: RegExp;
    /** The regular expression of RFC 5892 appendix A.1 around one U+200C. */
    readonly validZWNJ: RegExp;
    /** Holds an R, AL or AN character. */
    readonly bidiDomain: RegExp;
    /** An R or AL character. */
    readonly bidiS1RTL: RegExp;
    readonly bidiS2: RegExp;
    readonly bidiS3: RegExp;
    readonly bidiS4EN: RegExp;
    readonly bidiS4AN: RegExp;
  };
  export default regexes;
}
