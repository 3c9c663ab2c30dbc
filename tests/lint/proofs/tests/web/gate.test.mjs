it(`opens for ${who}, twice`, () => {});
it('is one of two', () => {});
    it('is one of two', () => {}); // bad
test('\'quotes\'', () => {});
