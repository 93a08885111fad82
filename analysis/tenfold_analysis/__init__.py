"""Reading, tabulating and drawing the runs of Tenfold. tenfold_h5 is the only module that opens run files."""
