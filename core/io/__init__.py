"""Read and write images, DICOM and tables; importers; torch-free."""
