import { idOf } from '../testing/example.js';
import { given } from '../testing/given.js';
import { catalogueFile, giveKeys, type CatalogueKey } from './catalogue-file.js';

const aFile = given(catalogueFile);
const gst: CatalogueKey = { kind: 'tax', key: 'gst', id: idOf('gst') };
const massage: CatalogueKey = { kind: 'service', key: 'gst', id: idOf('massage') };
const keysGiven = (...keys: CatalogueKey[]) => ({ type: 'CatalogueKeysGiven' as const, data: { keys } });

describe('the keys of a catalogue file', () => {
  it('B1: stand for something from when they are first seen, each kind for itself', () => {
    aFile([])
      .when(giveKeys([gst]))
      .emits([keysGiven(gst)]);
    aFile([keysGiven(gst)])
      .when(giveKeys([gst, massage]))
      .emits([keysGiven(massage)]);
  });
  it('B1: stand for the same for ever', () => {
    aFile([keysGiven(gst)])
      .when(giveKeys([{ ...gst, id: idOf('another') }]))
      .emits([]);
    expect([keysGiven(gst), keysGiven(massage)].reduce(catalogueFile.evolve, catalogueFile.initial)).toEqual(
      new Map([
        ['tax/gst', idOf('gst')],
        ['service/gst', idOf('massage')],
      ]),
    );
  });
});
